import AdminSocket
import Synchronization
import Testing

@testable import DaemonSupport

@Suite struct ConfigCommandTests {
    private let commands = ConfigAccess(
        get: { (option) throws(ConfigFailure) in
            switch option {
            case "debug_ms": "0/0"
            case "key": "AQBsecret=="
            default: throw ConfigFailure(errno: -2)
            }
        },
        set: { (option, value) throws(ConfigFailure) in
            if option == "fsid" { throw ConfigFailure(errno: 22) }
            #expect(value == "5 6")
        },
        list: { () throws(ConfigFailure) in [("name", "client.x"), ("cluster", "c"), ("key", "AQBsecret=="), ("a", "1")] }
    ).commands

    private func run(_ prefix: String, _ arguments: [String: JSONValue] = [:]) async throws -> AdminReply {
        try await #require(commands.first { $0.prefix == prefix }).run(AdminRequest(prefix: prefix, arguments: arguments))
    }

    // The replies of a 16.2.15 daemon, but for the key.
    @Test func replies() async throws {
        #expect(try await run("config get", ["var": "debug_ms"]) == .json(["debug_ms": "0/0"]))
        #expect(try await run("config get", ["var": "nosuch"])
            == .failure(2, "error getting 'nosuch': (2) No such file or directory"))
        #expect(try await run("config set", ["var": "debug_ms", "val": ["5", "6"]]) == .json(["success": ""]))
        #expect(try await run("config set", ["var": "fsid", "val": ["5"]])
            == .failure(22, "error setting 'fsid' to '5': (22) Invalid argument"))
    }

    @Test func keyIsNeverShown() async throws {
        #expect(try await run("config get", ["var": "key"]) == .json(["key": "***"]))
        #expect(try await run("config show") == .json(["name": "client.x", "cluster": "c", "key": "***", "a": "1"]))
    }
}

/// An engine that only remembers what it was asked for.
actor RecordingEngine: MirrorControl {
    var pools: [PoolReplayerStatus] = []
    var done: [String] = []
    struct Refusal: Error, CustomStringConvertible { let description = "not now" }

    func status() -> [PoolReplayerStatus] { pools }
    func perform(_ action: MirrorAction, on target: MirrorTarget) async throws {
        if action == .flush { throw Refusal() }
        done.append("\(action.verb):\(target.words)")
    }
    func set(_ pools: [PoolReplayerStatus]) { self.pools = pools }
}

@Suite struct MirrorCommandTests {
    private var pool: PoolReplayerStatus {
        var pool = PoolReplayerStatus(
            pool: "p", peerUUID: "d1d5c4f5-9ccd-4c69-974e-63ebfc1a0de3", peerSite: "dma", peerClient: "client.rbd-mirror-peer",
            instanceID: "4130", syncs: .init(limit: 5), deletions: .init(limit: 1))
        pool.leaderInstanceID = "4130"
        pool.isLeader = true
        pool.instances = ["4130"]
        pool.localAdminSocket = "/l.asok"
        pool.remoteAdminSocket = "/r.asok"
        pool.images = [.init(spec: "p/img", state: .replaying), .init(spec: "p/jimg", state: .stopped)]
        pool.namespaces = [.init(name: "ns1", images: [.init(spec: "p/ns1/nimg", state: .replaying)])]
        return pool
    }

    // As printed by a 16.2.15 daemon for the same pool, sockets apart.
    private let stockDocument = #"{"peer":"uuid: d1d5c4f5-9ccd-4c69-974e-63ebfc1a0de3 cluster: dma client: client.rbd-mirror-peer","pool":"p","instance_id":"4130","state":"running","leader_instance_id":"4130","leader":true,"instances":["4130"],"local_cluster_admin_socket":"/l.asok","remote_cluster_admin_socket":"/r.asok","sync_throttler":{"max_parallel_requests":5,"running_requests":0,"waiting_requests":0},"deletion_throttler":{"max_parallel_requests":1,"running_requests":0,"waiting_requests":0},"image_replayers":[{"name":"p/img","state":"Replaying"},{"name":"p/jimg","state":"Stopped"}],"image_deleter":{"image_deleter_status":{"delete_images_queue":[],"failed_deletes_queue":[]}},"namespaces":[{"name":"ns1","image_replayers":[{"name":"p/ns1/nimg","state":"Replaying"}],"image_deleter":{"image_deleter_status":{"delete_images_queue":[],"failed_deletes_queue":[]}}}]}"#

    @Test func statusDocumentIsStocks() {
        #expect(pool.document.rendered() == stockDocument)
        #expect(RBDMirrorCommands.status(of: .everything, in: [pool])?.rendered() == "{\"pool_replayers\":[\(stockDocument)]}")
        #expect(RBDMirrorCommands.status(of: .pool("p", peer: "dma"), in: [pool])?.rendered() == stockDocument)
        #expect(RBDMirrorCommands.status(of: .image("p/ns1/nimg"), in: [pool])?.rendered() == #"{"name":"p/ns1/nimg","state":"Replaying"}"#)
        #expect(RBDMirrorCommands.status(of: .image("p/gone"), in: [pool]) == nil)
        #expect(RBDMirrorCommands.status(of: .pool("p", peer: "dmb"), in: [pool]) == nil)
    }

    @Test func onlyALeaderShowsInstances() {
        var follower = pool
        follower.isLeader = false
        follower.state = .stoppedManually
        let text = follower.document.rendered()
        #expect(text.contains(#""state":"stopped (manual)","leader_instance_id":"4130","leader":false,"local_cluster"#))
    }

    @Test func deleterDocument() {
        let deleter = DeleterStatus(queue: ["a"], failed: [.init(imageID: "b", error: "(16) Device or resource busy", retries: 3)])
        #expect(deleter.document.rendered()
            == #"{"delete_images_queue":[{"image_id":"a"}],"failed_deletes_queue":[{"image_id":"b","error_code":"(16) Device or resource busy","retries":3}]}"#)
    }

    @Test func wordsAreStocks() {
        let engine = RecordingEngine()
        func list(_ target: MirrorTarget) -> [String] {
            RBDMirrorCommands.commands(for: target, engine).map { "\($0.prefix)|\($0.help)" }.sorted()
        }
        #expect(list(.image("p/img")) == [
            "rbd mirror flush p/img|flush rbd mirror p/img", "rbd mirror restart p/img|restart rbd mirror p/img",
            "rbd mirror start p/img|start rbd mirror p/img", "rbd mirror status p/img|get status for rbd mirror p/img",
            "rbd mirror stop p/img|stop rbd mirror p/img",
        ])
        #expect(list(.pool("p", peer: "dma")).contains("rbd mirror leader release p dma|release rbd mirror leader p dma"))
        #expect(list(.pool("p", peer: "dma")).count == 6)
        #expect(list(.everything).contains("rbd mirror status|get status for rbd mirror"))
        #expect(list(.everything).contains("rbd mirror leader release|release rbd mirror leader"))
        #expect(list(.deletion("p")) == ["rbd mirror deletion status p|get status for image deleter"])
    }

    /// The commands a server offers now.
    private func offered(_ path: String, _ folder: ScratchFolder) async throws -> Set<String> {
        let help = try await run("/usr/bin/env", ["ceph", "--admin-daemon", path, "-f", "json", "help"], folder: folder).output
        guard case .object(let members) = JSONValue.parse(Array(help.utf8)) else { return [] }
        return Set(members.map(\.key).filter { $0.hasPrefix("rbd") })
    }

    @Test func commandsFollowTheImages() async throws {
        let folder = try ScratchFolder()
        let server = AdminSocketServer(version: .init(version: "1", release: "x", gitVersion: "y"))
        try server.open(at: folder["asok"])
        let running = Task { try await server.run() }
        defer { running.cancel() }
        let engine = RecordingEngine()
        let commands = RBDMirrorCommands(control: engine, on: server)
        func ceph(_ words: String) async throws -> Outcome {
            try await run("/usr/bin/env", ["ceph", "--admin-daemon", folder["asok"], "-f", "json"] + words.split(separator: " ").map(String.init), folder: folder)
        }

        #expect(try await offered(folder["asok"], folder).count == 6)
        #expect(try await ceph("rbd mirror status").output.hasPrefix(#"{"pool_replayers":[]}"#))
        await engine.set([pool])
        await commands.update()
        #expect(try await offered(folder["asok"], folder).count == 6 + 6 + 1 + 3 * 5)
        #expect(try await ceph("rbd mirror status p dma").output.hasPrefix(stockDocument))
        #expect(try await ceph("rbd mirror status p/ns1/nimg").output.hasPrefix(#"{"name":"p/ns1/nimg","state":"Replaying"}"#))
        #expect(try await ceph("rbd mirror stop p/img").status == 0)
        #expect(try await ceph("rbd mirror restart p dma").status == 0)
        #expect(try await ceph("rbd mirror leader release").status == 0)
        #expect(await engine.done == ["stop:p/img", "restart:p dma", "leader release:"])
        #expect(try await ceph("rbd mirror flush p/img").output.hasPrefix("ERROR: (5) Input/output error\nrbd mirror flush p/img: not now\n"))

        var smaller = pool
        smaller.images.removeFirst()
        await engine.set([smaller])
        #expect(try await ceph("rbd mirror status p/img").output.hasPrefix("ERROR: (2)"), "gone before the commands are")
        await commands.update()
        #expect(try await ceph("rbd mirror status p/img").status == 22)
        #expect(try await offered(folder["asok"], folder).count == 6 + 6 + 1 + 2 * 5)
        await engine.set([])
        await commands.update()
        #expect(try await offered(folder["asok"], folder).count == 6)
        running.cancel()
        try await running.value
    }
}

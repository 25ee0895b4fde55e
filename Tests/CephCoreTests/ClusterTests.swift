import CephCore
import CephSandbox
import Glibc
import Testing

@Suite(.timeLimit(.minutes(5))) struct ClusterTests {
    private static let quick = Deadlines(connect: .seconds(2), object: .seconds(2), monitor: .seconds(2))

    @Test func connectsFromAFile() async throws {
        let sandbox = try await Live.sandbox()
        let cluster = try await Live.connect()
        #expect(try cluster.fsid() == sandbox.fsid)
        #expect(cluster.globalID > 0)
        #expect(cluster.user == "client.admin")
        #expect(Cluster.libraryVersion.major >= 3)
        await cluster.shutdown()
        #expect(await failure { _ = try cluster.fsid() }?.code == ENOTCONN)
        #expect(await failure { _ = try await cluster.pool("objects") }?.code == ENOTCONN)
        await cluster.shutdown()
    }

    @Test func connectsByNameAndByEnvironment() async throws {
        let sandbox = try await Live.sandbox()
        let name = try sandbox.publishedName()
        let cluster = try await Cluster.connect(.named(name))
        #expect(try cluster.fsid() == sandbox.fsid)
        await cluster.shutdown()
        #expect(await failure { _ = try await Cluster.connect(.named(unique("no-such-cluster"))) }?.isNotFound == true)
    }

    @Test func connectsWithAKeyInMemory() async throws {
        let sandbox = try await Live.sandbox()
        let key = Secret(try await sandbox.ceph("auth", "get-key", "client.admin"))
        let cluster = try await Cluster.connect(.monitors(sandbox.monitorHosts, key: key))
        #expect(try cluster.fsid() == sandbox.fsid)
        #expect(try await cluster.pools().values.contains("objects"))
        await cluster.shutdown()
    }

    @Test func aMissingFileIsNamed() async throws {
        let error = await failure { _ = try await Cluster.connect(.configurationFile("/no/such/file.conf")) }
        #expect(error?.isNotFound == true)
        #expect(error?.subject == "/no/such/file.conf")
    }

    @Test func aWrongKeyIsRefused() async throws {
        let sandbox = try await Live.sandbox()
        let wrong = Secret("AQBBBBBBBBBBBBAAAAAAAAAAAAAAAAAAAAAAAA==")
        let error = await failure { _ = try await Cluster.connect(.monitors(sandbox.monitorHosts, key: wrong)) }
        #expect(error?.isPermissionDenied == true)
        #expect(error?.subject.contains("client.admin") == true)
        #expect(error?.description.contains(wrong.revealed) == false)
    }

    @Test func aMissingKeyIsNoted() async throws {
        let sandbox = try await Live.sandbox()
        let error = await failure {
            _ = try await Cluster.connect(.configurationFile(sandbox.configurationFile.string), as: "client.nobody")
        }
        #expect(error?.isNotFound == true || error?.isPermissionDenied == true)
        #expect(error?.subject.contains("client.nobody") == true)
    }

    @Test func anUnreachableMonitorEndsInTime() async throws {
        // Nobody listens on port 1; the address of the second answers nothing at all.
        for address in ["127.0.0.1:1", "192.0.2.1:3300"] {
            let key = Secret("AQBBBBBBBBBBBBAAAAAAAAAAAAAAAAAAAAAAAA==")
            var error: CephError?
            let time = await duration {
                error = await failure {
                    _ = try await Cluster.connect(ClusterConfiguration(.monitors(address, key: key), deadlines: Self.quick))
                }
            }
            #expect(error?.isTimeout == true)
            #expect(error?.subject.contains(address) == true)
            #expect(time < .seconds(4))
        }
    }

    @Test func aMissingPoolIsNamed() async throws {
        let cluster = try await Live.cluster()
        let error = await failure { _ = try await cluster.pool("nowhere") }
        #expect(error?.isNotFound == true)
        #expect(error?.subject.contains("nowhere") == true)
        #expect(await failure { _ = try await cluster.pool(id: 4711) }?.isNotFound == true)
    }

    @Test func findsPoolsByNameAndID() async throws {
        let cluster = try await Live.cluster()
        let pools = try await cluster.pools()
        let pool = try await cluster.pool("objects")
        #expect(pools[pool.id] == "objects")
        let same = try await cluster.pool(id: pool.id)
        #expect(same.name == "objects" && same.id == pool.id)
    }

    @Test func aRestrictedUserIsHeldToItsCapabilities() async throws {
        let sandbox = try await Live.sandbox()
        try await sandbox.createUser("client.reader", ["mon": "allow r", "osd": "allow r pool=objects"])
        let cluster = try await Live.connect(as: "client.reader")
        let pool = try await Live.objects(of: cluster)
        let error = await failure { try await pool.writeFull([1], to: "note") }
        #expect(error?.isPermissionDenied == true)
        #expect(error?.subject == "\(cluster.name):\(pool.spec)/note")
        #expect(await failure { _ = try await pool.read("note", length: 1) }?.isNotFound == true)
        #expect(await failure { try await cluster.monitorCommand(["prefix": "osd pool create", "pool": "x"]) }?.isPermissionDenied == true)
        #expect(await failure { try await cluster.blocklist("127.0.0.1:0/1") }?.isPermissionDenied == true)
        await cluster.shutdown()
    }

    @Test func sendsCommandsWithJSONInAndOut() async throws {
        struct Quorum: Decodable { var quorum_names: [String] }
        let cluster = try await Live.cluster()
        let reply = try await cluster.monitorCommand(["prefix": "quorum_status", "format": "json"])
        #expect(try reply.decoded(as: Quorum.self).quorum_names == ["a"])
        #expect(await failure { _ = try reply.decoded(as: [Int].self) }?.code == EBADMSG)

        let made = try await cluster.monitorCommand(json: #"{"prefix": "osd pool create", "pool": "by-command", "pg_num": 4}"#)
        #expect(made.status.contains("by-command"))
        let set = ["prefix": "config-key set", "key": "test/key"]
        try await cluster.monitorCommand(set, input: Array("a \"value\"".utf8))
        #expect(try await cluster.monitorCommand(["prefix": "config-key get", "key": "test/key"]).text == "a \"value\"")
        let error = await failure { try await cluster.monitorCommand(["prefix": "config-key get", "key": "test/none"]) }
        #expect(error?.isNotFound == true)
        #expect(error?.subject.hasPrefix("config-key get") == true)
        #expect(await failure { try await cluster.monitorCommand(["prefix": "no such command"]) }?.code == EINVAL)
        #expect(await failure { try await cluster.monitorCommand(json: "[rubbish") }?.code == EINVAL)
    }

    @Test func readsAndSetsOptions() async throws {
        let sandbox = try await Live.sandbox()
        var configuration = sandbox.connection()
        configuration.options = [("rbd_default_order", "23"), ("client_oc_size", "1048576")]
        configuration.arguments = ["--rbd_default_order", "20", "--objecter_inflight_ops", "77"]
        let cluster = try await Cluster.connect(configuration)
        #expect(try cluster.option("rbd_default_order") == "23")
        #expect(try cluster.option("objecter_inflight_ops") == "77")
        try cluster.setOption("rbd_default_order", to: "21")
        #expect(try cluster.option("rbd_default_order") == "21")
        #expect(await failure { _ = try cluster.option("no_such_option") }?.isNotFound == true)
        #expect(await failure { try cluster.setOption("no_such_option", to: "1") }?.isNotFound == true)
        #expect(try Int(cluster.option("mon_host").count) > 20)
        await cluster.shutdown()

        configuration.options = [("no_such_option", "1")]
        #expect(await failure { _ = try await Cluster.connect(configuration) }?.subject == "no_such_option")
        configuration.options = []
        configuration.arguments = ["--no-such-option=AQBsecret"]
        let error = await failure { _ = try await Cluster.connect(configuration) }
        #expect(error?.code == EINVAL && error?.subject == "unknown option --no-such-option")
    }

    @Test func setsItsDeadlines() async throws {
        let cluster = try await Live.connect(deadlines: Deadlines(connect: .seconds(9), object: .milliseconds(2500), monitor: .seconds(4)))
        #expect(try cluster.option("rados_osd_op_timeout") == "3")
        #expect(try cluster.option("rados_mon_op_timeout") == "4")
        #expect(try cluster.option("client_mount_timeout") == "9")
        await cluster.shutdown()
    }

    @Test func aBlocklistedClientIsFenced() async throws {
        let cluster = try await Live.cluster()
        let fenced = try await Live.connect()
        let theirs = try await Live.objects(of: fenced)
        try await theirs.writeFull([1], to: "note")
        let watch = try await theirs.watch("note")
        let ours = try await cluster.pool("objects").inNamespace(theirs.namespace)
        var address = ""
        if Pool.usesNative {
            address = try #require(try await ours.watchers(of: "note").first { $0.client == fenced.globalID }?.address)
        } else {
            let lock = ObjectLock("here", on: "lock", in: theirs)
            try await lock.acquire(.exclusive, cookie: "me")
            address = try #require(try await lock.info().lockers.first?.address)
        }
        try await cluster.blocklist(address, for: .seconds(600))
        try await cluster.waitForLatestMap()
        try await waitUntil("the client is fenced") {
            do {
                try await theirs.writeFull([2], to: "note")
                return false
            } catch let error as CephError {
                #expect(error.isBlocklisted)
                return true
            }
        }
        for await event in watch.events {
            if case .lost(let error) = event.kind {
                #expect(error.isBlocklisted)
                break
            }
        }
        #expect(watch.handle == nil)
        await watch.cancel()
        await fenced.shutdown()
    }

    @Test func shutdownWaitsForCallsInFlight() async throws {
        let cluster = try await Live.connect()
        let pool = try await Live.objects(of: cluster)
        let results = await withTaskGroup(of: CephError?.self) { group in
            for number in 0..<200 {
                group.addTask {
                    do throws(CephError) {
                        try await pool.writeFull(pattern(1, 4096), to: "object-\(number)")
                        return nil
                    } catch { return error }
                }
            }
            group.addTask {
                await cluster.shutdown()
                return nil
            }
            return await group.reduce(into: [CephError]()) { if let error = $1 { $0.append(error) } }
        }
        #expect(results.allSatisfy { $0.code == ENOTCONN })
    }

    @Test func secretsDoNotShow() {
        let secret = Secret("AQBsecret")
        #expect("\(secret)" == "<secret>")
        #expect(String(reflecting: secret) == "<secret>")
        var text = ""
        dump(secret, to: &text)
        #expect(!text.contains("AQB"))
        let configuration = ClusterConfiguration(.monitors("127.0.0.1", key: secret))
        dump(configuration, to: &text)
        #expect(!text.contains("AQB"))
    }
}

/// With a manager, which the other suites do without.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ManagedClusterTests {
    @Test func registersAServiceAndAsksTheManager() async throws {
        struct Dump: Decodable {
            struct Service: Decodable { var daemons: [String: Value] }
            enum Value: Decodable {
                struct Daemon: Decodable {
                    var gid: UInt64
                    var metadata: [String: String]
                    var task_status: [String: String]?
                }
                case daemon(Daemon), text
                init(from decoder: any Swift.Decoder) throws { self = (try? Daemon(from: decoder)).map(Self.daemon) ?? .text }
            }
            var services: [String: Service]
        }
        let sandbox = try await SandboxCluster.shared()
        let cluster = try await Cluster.connect(sandbox.connection())
        try await cluster.registerService("test-mirror", daemon: "1", metadata: ["color": "blue", "empty": ""])
        try await cluster.updateServiceStatus(["json": #"{"a": 1}"#])
        #expect(await failure { try await cluster.registerService("again", daemon: "1", metadata: [:]) }?.alreadyExists == true)
        #expect(await failure { try await cluster.updateServiceStatus(["a\0b": "c"]) }?.code == EINVAL)
        try await waitUntil("the service is listed") {
            let dump = try await cluster.monitorCommand(["prefix": "service dump", "format": "json"]).decoded(as: Dump.self)
            guard case .daemon(let daemon)? = dump.services["test-mirror"]?.daemons["1"] else { return false }
            return daemon.gid == cluster.globalID && daemon.metadata["color"] == "blue"
        }
        try await waitUntil("its status is shown") {
            try await cluster.monitorCommand(["prefix": "service status", "format": "json"]).text.contains(#"\"a\": 1"#)
        }
        let reply = try await cluster.managerCommand(["prefix": "pg dump_json", "format": "json"])
        #expect(!reply.output.isEmpty)
        #expect(await failure { try await cluster.managerCommand(["prefix": "no such command"]) }?.code == EINVAL)
        await cluster.shutdown()
    }

    @Test func refusesWritesToAFullPool() async throws {
        let sandbox = try await SandboxCluster.shared()
        try await sandbox.createPool("small", application: "test")
        let cluster = try await Cluster.connect(sandbox.connection())
        let pool = try await cluster.pool("small")
        for number in 0..<3 { try await pool.writeFull([1], to: "object-\(number)") }
        try await sandbox.ceph("osd", "pool", "set-quota", "small", "max_objects", "2")
        try await waitUntil("the pool is full", within: .seconds(60), every: .milliseconds(200)) {
            do {
                // Only what grows is refused.
                try await pool.writeFull([1], to: unique("more"))
                return false
            } catch let error as CephError {
                #expect(error.code == EDQUOT && error.isOutOfSpace)
                #expect(error.subject.contains(":small/more-"))
                return true
            }
        }
        #expect(try await pool.read("object-1", length: 1) == [1])
        // What frees space goes on.
        try await pool.remove("object-1")
        await cluster.shutdown()
    }
}

import CephSandbox
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Somebody takes an image away from our daemon while it serves it.
    @Suite struct LostLockTests {
        @Test func brokenWhileTheDaemonWasSuspended() async throws {
            try await withScene("lost-lock") { scene in
                var workload = SourceWorkload(.forRun("lost-lock"), size: 16 << 20)
                try await scene.createImage("disk", mebibytes: 16)
                try await workload.fill { try await scene.siteA.write($0, to: "disk") }
                try await scene.takeMirrorSnapshot("disk")
                // So that it need not be suspended for half a minute to lose its watches.
                try await scene.siteB.withWatchTimeout(.seconds(4)) {
                    let daemon = try await scene.startDaemon(on: scene.siteB, options: ["--objecter-tick-interval", "1"])
                    try await scene.waitForSync("disk")
                    try await daemon.process.freeze()
                    try await scene.siteB.breakLock(of: "disk")
                    try await daemon.process.thaw()
                    try await daemon.waitForLog("reason=lock-lost")

                    try await scene.siteB.waitForStatus("disk", state: "up+replaying")
                    try await scene.siteA.write(workload.churned(), to: "disk")
                    try await scene.takeMirrorSnapshot("disk")
                    try await scene.waitForSync("disk", within: .seconds(20))
                    try await ImageJudge(image: "disk").compare(scene.siteA, scene.siteB)
                    try await daemon.terminate()
                }
            }
        }
    }
}

extension Site {
    /// Runs the body with another time after which the OSD takes a silent watcher for dead.
    nonisolated(nonsending)
    fileprivate func withWatchTimeout(_ timeout: Duration, _ body: () async throws -> Void) async throws {
        try await setOSD("osd_client_watch_timeout", "\(timeout.components.seconds)")
        do { try await body() } catch {
            try await setOSD("osd_client_watch_timeout", "30")
            throw error
        }
        try await setOSD("osd_client_watch_timeout", "30")
    }

    /// Breaks an image's lock once its owner does not watch the image any more.
    fileprivate func breakLock(of image: String) async throws {
        struct Info: Decodable { var id: String }
        struct Locks: Decodable {
            struct Locker: Decodable { var name: String, cookie: String }
            var lockers: [Locker]
        }
        let header = "rbd_header.\(try await cluster.rbdJSON("info", spec(image), as: Info.self).id)"
        try await waitUntil("nobody watches \(header)", every: .milliseconds(200)) {
            try await cluster.run("rados", ["-p", pool, "listwatchers", header]).isEmpty
        }
        let text = try await cluster.run("rados", ["-p", pool, "lock", "info", header, "rbd_lock", "--format", "json"])
        let lockers = try JSONDecoder().decode(Locks.self, from: Data(text.utf8)).lockers
        for locker in lockers {
            try await cluster.run(
                "rados", ["-p", pool, "lock", "break", header, "rbd_lock", locker.name, "--lock-cookie", locker.cookie])
        }
        guard !lockers.isEmpty else { throw ToolFailure(tool: "rados lock info", text: "nobody holds the lock of \(header)") }
    }
}

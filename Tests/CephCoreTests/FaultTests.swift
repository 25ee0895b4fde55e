import CephCore
import CephSandbox
import Glibc
import Testing

/// A cluster whose daemons are frozen and killed; its OSD outlives that.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FaultTests {
    private static let configuration = SandboxConfiguration(
        objectStore: .blueStore(bytes: 4 << 30), manager: false, options: ["paxos propose interval": "0.05"])

    private static let started = Task {
        let cluster = try await SandboxCluster.shared(configuration)
        try await cluster.createPool("pool")
        return cluster
    }

    static let quick = Deadlines(connect: .seconds(2), object: .seconds(2), monitor: .seconds(2), image: .seconds(5))
    /// What a loaded machine may add to a deadline.
    static let slack = Duration.seconds(15)

    struct Site {
        let sandbox: SandboxCluster
        let cluster: Cluster
        let pool: Pool
        var osd: SandboxDaemon { sandbox.osds[0] }
    }

    static func withSite<R>(
        _ deadlines: Deadlines = quick, options: [(name: String, value: String)] = [], _ body: (Site) async throws -> R
    ) async throws -> R {
        let sandbox = try await started.value
        var connection = sandbox.connection(deadlines: deadlines)
        connection.options = options
        let cluster = try await Cluster.connect(connection)
        let site = Site(sandbox: sandbox, cluster: cluster, pool: try await cluster.pool("pool").inNamespace(unique("ns")))
        let result = try await body(site)
        await cluster.shutdown()
        return result
    }

    /// Runs the body while the daemon is frozen.
    static func freezing<R>(_ daemon: SandboxDaemon, _ body: () async throws -> R) async throws -> R {
        try await daemon.freeze()
        do {
            let result = try await body()
            try await daemon.thaw()
            return result
        } catch {
            try await daemon.thaw()
            throw error
        }
    }

    /// Checks that every call ends with `ETIMEDOUT` within its deadline.
    static func expectTimeouts(
        within deadline: Duration, _ calls: [(String, @Sendable () async throws -> Void)]
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for (name, call) in calls {
                group.addTask {
                    let start = ContinuousClock.now
                    let error = await failure(call)
                    let time = ContinuousClock.now - start
                    #expect(error?.isTimeout == true, "\(name): \(String(describing: error))")
                    #expect(time < deadline + slack, "\(name) took \(time)")
                }
            }
        }
    }

    @Test func objectCallsEndWhenTheOSDIsSilent() async throws {
        try await Self.withSite { site in
            let pool = site.pool
            try await pool.writeFull(pattern(1, 4096), to: "object")
            var calls: [(String, @Sendable () async throws -> Void)] = [
                ("read", { _ = try await pool.read("object", length: 10) }),
                ("read into", {
                    let buffer = IOBuffer(capacity: 4096)
                    _ = try await pool.read("object", at: 0, into: buffer, 0..<4096)
                }),
                ("stat", { _ = try await pool.stat("object") }),
                ("omap", { _ = try await pool.omap(of: "object") }),
                ("call", { _ = try await ObjectLock("l", on: "object", in: pool).info() }),
                ("write", { try await pool.writeFull([1], to: "other") }),
                ("remove", { try await pool.remove("third") }),
                ("lock", { try await ObjectLock("l", on: "fourth", in: pool).acquire(.exclusive, cookie: "c") }),
                ("data", { _ = try await pool.data(of: "object", in: [0..<100]) }),
                ("update", {
                    var update = ObjectUpdate()
                    update.zero(0..<10)
                    try await pool.apply(update, to: "fifth")
                }),
                ("list", { for try await _ in pool.objects() {} }),
                ("watch", { _ = try await pool.watch("object", timeout: .seconds(3)) }),
                ("notify", { try await pool.notify("object", timeout: .milliseconds(1)) }),
                ("images", { _ = try await pool.images() }),
            ]
            if Pool.usesNative {
                calls.append(("snapshot set", { _ = try await pool.snapshotSet(of: "object") }))
                calls.append(("watchers", { _ = try await pool.watchers(of: "object") }))
            }
            try await Self.freezing(site.osd) { await Self.expectTimeouts(within: .seconds(3), calls) }
            // It goes on as if nothing had been, and nobody is left watching for longer than a watch's time-out.
            #expect(try await pool.read("object", length: 4096) == pattern(1, 4096))
            if Pool.usesNative {
                try await waitUntil("the lost watch is given back") { try await pool.watchers(of: "object").isEmpty }
            }
        }
    }

    @Test func monitorCallsEndWhenTheMonitorIsSilent() async throws {
        try await Self.withSite { site in
            let (cluster, pool) = (site.cluster, site.pool)
            let connection = site.sandbox.connection(deadlines: Self.quick)
            try await Self.freezing(site.sandbox.monitor) {
                await Self.expectTimeouts(within: .seconds(2), [
                    ("command", { try await cluster.monitorCommand(["prefix": "status"]) }),
                    ("blocklist", { try await cluster.blocklist("127.0.0.1:0/1") }),
                    ("latest map", { try await cluster.waitForLatestMap() }),
                    ("missing pool", { _ = try await cluster.pool("nowhere") }),
                    ("snapshot id", { _ = try await pool.createSelfManagedSnapshot() }),
                    ("site name", { _ = try await cluster.mirrorSiteName() }),
                    ("connect", { _ = try await Cluster.connect(connection) }),
                ])
                // What needs no monitor goes on.
                try await pool.writeFull([1], to: "object")
            }
            try await cluster.monitorCommand(["prefix": "status"])
        }
    }

    @Test func imageCallsEndWhenTheOSDIsSilent() async throws {
        try await Self.withSite { site in
            let pool = try await site.cluster.pool("pool")
            let (name, other) = (unique("image"), unique("image"))
            try await pool.createImage(name, size: 16 << 20)
            try await pool.createImage(other, size: 16 << 20)
            let reader = try await pool.openImage(name)
            let writer = try await pool.openImage(name, for: .readWrite)
            try await writer.write(pattern(1, 4096), at: 0)
            try await writer.createSnapshot("before")
            let error = try await Self.freezing(site.osd) {
                await Self.expectTimeouts(within: .seconds(5), [
                    ("open", { _ = try await pool.openImage(other) }),
                    ("open to write", { _ = try await pool.openImage(other, for: .readWrite) }),
                    ("read", { _ = try await reader.read(0..<4096) }),
                    ("read of a writer", { _ = try await writer.read(1 << 20..<2 << 20) }),
                    ("write", {
                        try await writer.write(pattern(2, 4096), at: 8192)
                        try await writer.flush()
                    }),
                    ("metadata", { _ = try await reader.metadata() }),
                    ("mirror info", { _ = try await reader.mirrorInfo() }),
                    ("changes", { for try await _ in reader.changes(wholeObjects: true) {} }),
                    ("create", { try await pool.createImage(unique("image"), size: 1 << 20) }),
                    ("mirror mode", { _ = try await pool.mirrorMode() }),
                ])
                return await failure { try await writer.createSnapshot("during") }
            }
            #expect(error != nil)
            #expect(try await reader.read(0..<4096) == pattern(1, 4096))
            try await reader.close()
            try? await writer.close()
            // All that was lost is given back, or the image could not be removed.
            try await waitUntil("nobody has the image open") {
                do {
                    try await pool.removeImage(other)
                    return true
                } catch let error as CephError where error.isBusy { return false }
            }
        }
    }

    @Test func aBufferOfALostCallIsNotUsedAgain() async throws {
        // librados' own deadline is long here: the call is abandoned while Ceph still has the buffer.
        let deadlines = Deadlines(object: .seconds(60), image: .seconds(1))
        try await Self.withSite(deadlines) { site in
            let pool = try await site.cluster.pool("pool")
            let name = unique("image")
            try await pool.createImage(name, size: 16 << 20)
            let image = try await pool.openImage(name, for: .readWrite)
            try await image.write(pattern(1, 4096), at: 0)
            try await image.flush()
            let buffers = BufferPool(budget: 1 << 20)
            do {
                let buffer = try await buffers.lend(4096)
                try await site.osd.freeze()
                var error: CephError?
                do throws(CephError) { _ = try await image.read(at: 1 << 20, into: buffer, 0..<4096) } catch let caught { error = caught }
                #expect(error?.isTimeout == true)
                error = nil
                do throws(CephError) { _ = try await image.read(at: 0, into: buffer, 0..<4096) } catch let caught { error = caught }
                #expect(error?.isBusy == true)
            }
            // Let go here, and still lent as long as Ceph may write into it.
            #expect(buffers.bytesInUse == 4096)
            #expect(await failure { try await image.close() }?.isTimeout == true)
            try await site.osd.thaw()
            try await waitUntil("the memory is given back") { buffers.bytesInUse == 0 }
            try await waitUntil("the image is closed") {
                do {
                    try await pool.removeImage(name)
                    return true
                } catch let error as CephError where error.isBusy || error.isTimeout { return false }
            }
        }
    }

    @Test func aWriteThatTimedOutMayBeAppliedLater() async throws {
        try await Self.withSite { site in
            try await site.pool.writeFull([1], to: "object")
            let error = try await Self.freezing(site.osd) { await failure { try await site.pool.writeFull([2], to: "object") } }
            #expect(error?.isTimeout == true)
            #expect(error?.meaning.contains("may still be applied") == true)
            try await waitUntil("the write is there after all") { try await site.pool.read("object", length: 1) == [2] }
        }
    }

    @Test func aWatchIsMadeAnewWhenTheOSDDroppedIt() async throws {
        let deadlines = Deadlines(object: .seconds(8))
        try await Self.withSite(deadlines, options: [("objecter_tick_interval", "1")]) { site in
            try await site.pool.writeFull([], to: "object")
            let watch = try await site.pool.watch("object", timeout: .seconds(4)) { _ in .now([7]) }
            let interruptions = Counter()
            let following = Task {
                for await event in watch.events {
                    switch event.kind {
                    case .interrupted: interruptions.add()
                    case .resumed: return true
                    default: break
                    }
                }
                return false
            }
            // Frozen for longer than the watch's time-out. When it thaws, a sign of life that waited may still be ahead of the
            // clock: then once more.
            for _ in 0..<5 where interruptions.value == 0 {
                let error = try await Self.freezing(site.osd) { await failure { _ = try await site.pool.stat("object") } }
                #expect(error?.isTimeout == true)
                try? await waitUntil("the watch is broken", within: .seconds(3)) { interruptions.value > 0 }
            }
            #expect(interruptions.value > 0)
            if interruptions.value == 0 { await watch.cancel() }
            #expect(await following.value)
            #expect(watch.handle != nil)
            try watch.check()
            #expect(try await site.pool.notify("object").replies.map(\.payload) == [[7]])
            await watch.cancel()
            if Pool.usesNative { #expect(try await site.pool.watchers(of: "object").isEmpty) }
        }
    }

    @Test func aWatchOutlivesARestartOfTheOSD() async throws {
        try await Self.withSite(Deadlines()) { site in
            try await site.pool.writeFull([], to: "object")
            let watch = try await site.pool.watch("object") { _ in .now([7]) }
            try await site.osd.restart()
            try await waitUntil("the watch answers again", within: .seconds(60)) {
                try await site.pool.notify("object", timeout: .seconds(2)).replies.map(\.payload) == [[7]]
            }
            await watch.cancel()
        }
    }

    @Test func cancellingAWatchDoesNotWaitForASilentOSD() async throws {
        try await Self.withSite(Deadlines(object: .seconds(60))) { site in
            try await site.pool.writeFull([], to: "object")
            let watch = try await site.pool.watch("object")
            let time = try await Self.freezing(site.osd) { await duration { await watch.cancel(within: .milliseconds(200)) } }
            #expect(time < Self.slack)
            // The end goes on in the background.
            if Pool.usesNative {
                try await waitUntil("nobody watches") { try await site.pool.watchers(of: "object").isEmpty }
            }
        }
    }

    @Test func shutdownDoesNotWaitForASilentCluster() async throws {
        try await Self.withSite(Deadlines(object: .seconds(60), image: .seconds(60))) { site in
            let pool = site.pool
            let writing = try await Self.freezing(site.osd) {
                let writing = Task { try await pool.writeFull([1], to: "object") }
                let opening = Task { try await site.cluster.pool("pool").openImage("none") }
                #expect(await duration { await site.cluster.shutdown(within: .milliseconds(200)) } < Self.slack)
                #expect(await failure { _ = try await pool.stat("object") }?.code == ENOTCONN)
                return (writing, opening)
            }
            // What was under way ends as it would have.
            try? await writing.0.value
            _ = try? await writing.1.value
        }
    }
}

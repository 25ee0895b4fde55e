import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// The target runs out of room in mid-sync, and has some again later.
    @Suite struct FullTargetTests {
        enum Limit: String, CaseIterable, Sendable {
            /// That of the OSDs, and so of the whole cluster.
            case ratio
            /// The pool's own; in long runs, for it takes the cluster a while to see that it is reached.
            case quota
        }

        @Test(arguments: Limit.allCases.prefix(Knobs.count(1) > 3 ? 2 : 1)) func fullInMidSync(_ limit: Limit) async throws {
            try await withScene("full-\(limit)") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(.forRun("full-\(limit)"), size: 12 << 20)
                try await scene.createImage("disk", mebibytes: 12, options: ["--object-size", "64K"])
                try await workload.fill { try await siteA.write($0, to: "disk") }
                let before = try await ImageBytes.of("disk", on: siteA, objectSize: 64 << 10)
                try await scene.takeMirrorSnapshot("disk")
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.waitForSync("disk")
                try await siteB.slowDown()
                try await workload.fill { try await siteA.write($0, to: "disk") }
                let after = try await ImageBytes.of("disk", on: siteA, objectSize: 64 << 10)
                try await scene.takeMirrorSnapshot("disk")
                try await scene.holdSync("disk")
                let objects = try await siteB.whileFull(limit) {
                    // While one message after the other is held up in it, an OSD may take no setting for long.
                    try await daemon.process.freeze()
                    try await siteB.goAtFullSpeed()
                    try await daemon.process.thaw()
                    try await siteA.waitForStatus("disk", "out of space on the other side") { status in
                        status.peers.first?.state == "up+error"
                            && status.peers.first?.description.hasPrefix("no space left in pool \(siteB.pool): ") == true
                    }
                    return try await siteB.objects().count
                }
                let freed = ContinuousClock.now
                try await ImageBytes.of("disk", on: siteB, objectSize: 64 << 10).expectObjects(of: [before, after])
                try await scene.waitForSync("disk", within: .seconds(15))
                print("\(objects) objects while full by \(limit); in step \(freed.duration(to: .now)) after there was room")
                try await siteB.waitForStatus("disk", state: "up+replaying")
                try await ImageJudge(image: "disk").compare(siteA, siteB)
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["disk"])
            }
        }
    }
}

extension Site {
    /// Runs the body while the site has no room; it has some again whatever comes.
    nonisolated(nonsending)
    fileprivate func whileFull<R>(_ limit: EndToEnd.FullTargetTests.Limit, _ body: () async throws -> R) async throws -> R {
        try await setFull(true, by: limit)
        do {
            let result = try await body()
            try await setFull(false, by: limit)
            return result
        } catch {
            try await setFull(false, by: limit)
            throw error
        }
    }

    private func setFull(_ isFull: Bool, by limit: EndToEnd.FullTargetTests.Limit) async throws {
        switch limit {
        case .quota:
            try await cluster.ceph("osd", "pool", "set-quota", pool, "max_bytes", isFull ? "1" : "0")
            try await waitForFlag(isFull, "osd", "pool", "ls", "detail")
        case .ratio:
            // Kept in ascending order, else the OSDs take the greater ones for these.
            let ratios = isFull ? ["0.000001", "0.000002", "0.000003"] : ["0.85", "0.90", "0.95"]
            let kinds = ["nearfull", "backfillfull", "full"]
            for (kind, ratio) in zip(kinds, ratios) { try await cluster.ceph("osd", "set-\(kind)-ratio", ratio) }
            try await waitForFlag(isFull, "osd", "dump")
        }
    }

    /// Waits until the pool, or the cluster, is marked as full, or no longer.
    private func waitForFlag(_ isFull: Bool, _ command: String...) async throws {
        try await waitUntil("\(name) is \(isFull ? "full" : "no longer full")", within: .seconds(40), every: .milliseconds(200)) {
            let lines = try await cluster.ceph(command).split(separator: "\n").filter { line in
                line.hasPrefix("pool ") ? line.contains("'\(pool)'") : line.hasPrefix("osd.") || line.hasPrefix("flags")
            }
            return lines.contains { $0.contains(/[ ,]full/) } == isFull
        }
    }
}

import CephCore
import CephSandbox
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Both sides have a history of their own: shown with the reason, and nothing is touched until somebody decides.
    @Suite struct SplitBrainTests {
        /// Promoted by force and demoted again; given up by a resync.
        @Test func theSourceDidNotFollow() async throws {
            try await withStrayReplica("split-demoted") { stray in
                let (siteA, siteB) = (stray.siteA, stray.siteB)
                try await siteB.mirror("promote", "--force", image: "disk")
                try await stray.write(on: siteB)
                try await siteB.mirror("demote", image: "disk")
                let demotion = try await siteB.lastMirrorSnapshot("disk").id
                let reason = "split-brain: the source does not follow on from our demotion (snapshot \(demotion))"
                try await stray.isShown(reason)
                try await stray.staysAsItIs(reason)
                try await stray.isMadeAnewOnRequest()
                try await siteA.waitForStatus("disk", state: "up+stopped")
            }
        }

        /// Somebody removed the source's snapshot that the replica stands at; the replica is kept by a forced promotion.
        @Test func theCommonPointIsGone() async throws {
            try await withStrayReplica("split-point") { stray in
                let (siteA, siteB) = (stray.siteA, stray.siteB)
                let common = try await siteA.lastMirrorSnapshot("disk")
                try await stray.whileAway {
                    try await stray.writeAndSnapshot()
                    try await siteA.removeMirrorSnapshot(common, of: "disk")
                }
                let reason = "split-brain: the source no longer has the point the replica stands at (snapshot \(common.id))"
                try await stray.isShown(reason)
                try await stray.staysAsItIs(reason)
                let content = try await siteB.checksum("disk")
                try await siteB.mirror("promote", "--force", image: "disk")
                try await siteB.waitForStatus("disk", state: "up+stopped")
                #expect(try await siteB.checksum("disk") == content)
                try await stray.write(on: siteB)
            }
        }

        /// The source is mirrored by journal all of a sudden; when it is as before, so is the replica.
        @Test func theModesDiffer() async throws {
            try await withStrayReplica("split-mode") { stray in
                try await stray.whileAway { try await stray.siteA.setRecordedMode(0, of: "disk") }
                let reason = "split-brain: one side mirrors by journal, the other by snapshot"
                // The stock command looks for a journal at the source now, and shows nothing there.
                try await stray.isShown(reason, onBothSites: false)
                try await stray.staysAsItIs(reason, snapshots: false)
                try await stray.siteA.setRecordedMode(1, of: "disk")
                try await stray.isInStep()
            }
        }

        /// The source's pool has another identity; given up by a resync.
        @Test func theSourceIsAnother() async throws {
            try await withStrayReplica("split-peer") { stray in
                var former = ""
                try await stray.whileAway { former = try await stray.siteA.replaceMirrorUUID() }
                let reason = "local image linked to unknown peer: the replica belongs to the site \(former)"
                try await stray.isShown(reason)
                try await stray.staysAsItIs(reason)
                try await stray.isMadeAnewOnRequest()
            }
        }
    }
}

/// A mirrored image whose two sides are about to part.
private struct StrayReplica {
    let scene: Scene
    private let run: Run

    /// What changes while the test goes on.
    private final class Run {
        var daemon: MirrorDaemon
        var workload = SourceWorkload(SeededRandom.forRun("split"), size: 16 << 20)

        init(_ daemon: MirrorDaemon) { self.daemon = daemon }
    }

    var siteA: Site { scene.siteA }
    var siteB: Site { scene.siteB }

    fileprivate init(_ scene: Scene, _ daemon: MirrorDaemon) {
        self.scene = scene
        run = Run(daemon)
    }

    fileprivate func end() async throws { try await run.daemon.terminate() }

    func write(on site: Site) async throws { try await site.write(run.workload.churned(), to: "disk") }

    func writeAndSnapshot() async throws {
        try await write(on: siteA)
        try await scene.takeMirrorSnapshot("disk")
    }

    /// Does something while no daemon serves the replica.
    func whileAway(_ body: () async throws -> Void) async throws {
        try await run.daemon.terminate()
        try await body()
        run.daemon = try await scene.startDaemon(on: siteB)
    }

    /// Text and JSON of both sites say what is wrong.
    func isShown(_ reason: String, onBothSites: Bool = true) async throws {
        try await siteB.waitForStatus("disk", reason) { $0.state == "up+error" && $0.description == reason }
        if onBothSites {
            try await siteA.waitForStatus("disk", "\(reason), on the other side") { status in
                status.peers.first?.state == "up+error" && status.peers.first?.description == reason
            }
        }
        for site in onBothSites ? scene.sites : [siteB] {
            let text = try await site.rbd("mirror", "image", "status", site.spec("disk"))
            #expect(text.contains("description: \(reason)\n"))
        }
    }

    /// However the source goes on, the replica does not change.
    ///
    /// - Parameter snapshots: Whether a mirror snapshot of the source can be made.
    func staysAsItIs(_ reason: String, snapshots: Bool = true) async throws {
        let (facts, before) = (try await ImageJudge(image: "disk").facts(of: siteB), try await siteB.snapshotIDs("disk"))
        let looks = run.daemon.looks
        for round in 1...3 {
            try await write(on: siteA)
            try await siteA.rbd("snap", "create", "--no-progress", "\(siteA.spec("disk"))@after-\(round)")
            if snapshots { try await scene.takeMirrorSnapshot("disk") }
        }
        // It has seen them.
        try await waitUntil("the daemon looks at the image", within: .seconds(40)) { run.daemon.looks > looks }
        #expect(try await ImageJudge(image: "disk").facts(of: siteB) == facts)
        #expect(try await siteB.snapshotIDs("disk") == before)
        #expect(try await siteB.status("disk").description == reason)
    }

    func isMadeAnewOnRequest() async throws {
        let old = try await siteB.imageID("disk")
        try await siteB.mirror("resync", image: "disk")
        try await siteB.waitUntilGone(old)
        try await isInStep()
    }

    /// The replica follows its source.
    func isInStep() async throws {
        try await writeAndSnapshot()
        try await scene.waitForSync("disk")
        try await ImageJudge(image: "disk").compare(siteA, siteB)
        try await siteB.waitForStatus("disk", state: "up+replaying")
    }
}

nonisolated(nonsending)
private func withStrayReplica(_ pool: String, _ body: (StrayReplica) async throws -> Void) async throws {
    try await withScene(pool) { scene in
        // So that the primary has a status too.
        let atA = try await scene.startDaemon(on: scene.siteA, "a")
        let stray = StrayReplica(scene, try await scene.startDaemon(on: scene.siteB))
        try await scene.makeReplicas(["disk"])
        try await body(stray)
        try await stray.end()
        try await atA.terminate()
    }
}

extension MirrorDaemon {
    /// How often it has looked at what there is of images.
    fileprivate var looks: Int { logTail(lines: 10_000).ranges(of: "bootstrap").count }
}

extension Site {
    fileprivate func snapshotIDs(_ image: String) async throws -> [UInt64] { try await snapshots(image).map(\.id) }

    /// Removes a mirror snapshot behind the back of mirroring.
    fileprivate func removeMirrorSnapshot(_ snapshot: Image.Snapshot, of image: String) async throws {
        try await rbd("snap", "rm", "--snap-id", "\(snapshot.id)", spec(image))
    }

    /// Changes the mode in an image's mirror record, its last byte: no command does that to a mirrored image.
    fileprivate func setRecordedMode(_ mode: UInt8, of image: String) async throws {
        let key = "image_\(try await imageID(image))"
        let file = cluster.folder.appending("record")
        try await cluster.run("rados", ["-p", pool, "getomapval", "rbd_mirroring", key, file.string])
        var record = try Data(contentsOf: URL(filePath: file.string))
        record[record.count - 1] = mode
        try record.write(to: URL(filePath: file.string))
        try await cluster.run("rados", ["-p", pool, "setomapval", "rbd_mirroring", key, "--input-file", file.string])
    }

    /// Gives the pool another mirror uuid, as if it were another pool of that name; returns the former one.
    fileprivate func replaceMirrorUUID() async throws -> String {
        let file = cluster.folder.appending("uuid")
        try await cluster.run("rados", ["-p", pool, "getomapval", "rbd_mirroring", "mirror_uuid", file.string])
        let former = try String(contentsOf: URL(filePath: file.string), encoding: .utf8)
        try await cluster.run("rados", ["-p", pool, "setomapval", "rbd_mirroring", "mirror_uuid", UUID().uuidString.lowercased()])
        return former
    }
}

import CephCore
import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// A source snapshot that is read from is removed in mid-sync: what is gone reads like a hole, and must not be taken for one.
    @Suite struct SourceLossTests {
        /// Which snapshot of the source goes; each image is named after its loss.
        private enum Lost: String, CaseIterable {
            /// The mirror snapshot that is being copied.
            case target
            /// The same, of an image that is promoted by force then.
            case promoted
            /// The mirror snapshot that the difference is taken from.
            case base
            /// A user snapshot between the two.
            case between
        }

        private static let objectSize = 128 << 10

        @Test func removedInMidSync() async throws {
            try await withScene("lost") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(.forRun("lost"), size: 12 << 20)
                let daemon = try await scene.startDaemon(on: siteB)
                let images = Lost.allCases.map(\.rawValue)
                var points: [String: [ImageBytes]] = [:]
                for image in images {
                    try await scene.createImage(image, mebibytes: 12, options: ["--object-size", "128K"])
                    try await change(image, siteA, &workload, &points)
                    try await scene.takeMirrorSnapshot(image)
                }
                for image in images { try await scene.waitForSync(image) }
                for lost in Lost.allCases {
                    let id = try await cutOff(lost, scene, &workload, &points)
                    let image = try await siteA.imageID(lost.rawValue)
                    try await daemon.waitForLog("source snapshot \(id) of image \(image) went away during the copy")
                }

                // What was filled in part and cannot be filled any more is not shown.
                try await scene.waitForSync("between")
                let left = try await siteB.snapshots("between").filter { !$0.isMirror }
                #expect(left.isEmpty, "\(left)")
                for image in images {
                    let head = try await ImageBytes.of(image, on: siteB, objectSize: Self.objectSize)
                    let new = try head.expectObjects(of: points[image]!)
                    print("\(image): \(new) objects are as at the target")
                }
                try await siteB.mirror("promote", "--force", image: "promoted")
                let promoted = try await ImageBytes.of("promoted", on: siteB, objectSize: Self.objectSize)
                try promoted.expectObjects(of: [points["promoted"]![0]])

                try await siteB.waitForStatus("base", "a split-brain") { $0.state == "up+error" && $0.description.contains("split-brain") }
                try await siteB.mirror("resync", image: "base")
                for image in ["target", "base", "between"] {
                    try await change(image, siteA, &workload, &points)
                    try await scene.takeMirrorSnapshot(image)
                }
                for image in ["target", "base", "between"] {
                    try await scene.waitForSync(image)
                    try await siteB.waitForStatus(image, state: "up+replaying")
                    try await ImageJudge(image: image).compare(siteA, siteB)
                }
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: images)
            }
        }

        /// Changes an image, and removes a snapshot of the source while the change is copied; returns its id.
        private func cutOff(
            _ lost: Lost, _ scene: Scene, _ workload: inout SourceWorkload, _ points: inout [String: [ImageBytes]]
        ) async throws -> UInt64 {
            let (siteA, image) = (scene.siteA, lost.rawValue)
            let base = try await siteA.lastMirrorSnapshot(image).id
            try await change(image, siteA, &workload, &points)
            var between: UInt64 = 0
            if lost == .between {
                try await siteA.rbd("snap", "create", "--no-progress", "\(siteA.spec(image))@between")
                between = try await siteA.snapshots(image).last!.id
                try await change(image, siteA, &workload, &points)
            }
            try await scene.siteB.slowDown()
            let target = try await scene.takeMirrorSnapshot(image)
            try await scene.holdSync(image)
            // From now on what is copied is in clones of its own, which go with the snapshot.
            try await workload.fill(1 << 20..<workload.size) { try await siteA.write($0, to: image) }
            let removed = lost == .base ? base : lost == .between ? between : target
            try await siteA.removeSnapshot(removed, of: image)
            try await scene.siteB.goAtFullSpeed()
            return removed
        }

        /// Changes all of an image, and keeps what it has then.
        ///
        /// Its first MiB comes and goes: only every other point has it.
        private func change(
            _ image: String, _ site: Site, _ workload: inout SourceWorkload, _ points: inout [String: [ImageBytes]]
        ) async throws {
            var stream = workload.churned()
            if points[image, default: []].count.isMultiple(of: 2) {
                stream.discard(0..<1 << 20)
            } else {
                stream.write(Array(repeating: 7, count: 1 << 20), at: 0)
            }
            try await site.write(stream, to: image)
            try await workload.fill(1 << 20..<workload.size) { try await site.write($0, to: image) }
            points[image, default: []].append(try await ImageBytes.of(image, on: site, objectSize: Self.objectSize))
        }
    }
}

extension Site {
    /// Removes a snapshot of any namespace and waits until the OSD has trimmed it from all of the image's objects.
    fileprivate func removeSnapshot(_ id: UInt64, of image: String) async throws {
        try await rbd("snap", "rm", "--snap-id", "\(id)", spec(image))
        let imageID = try await imageID(image)
        let data = try await objects().filter { $0.hasPrefix("rbd_data.\(imageID).") }
        try await withClient { pool in
            for object in data {
                try await waitUntil("snapshot \(id) of \(object) is trimmed", within: .seconds(30), every: .milliseconds(20)) {
                    try await pool.snapshotSet(of: object).clones.allSatisfy { !$0.snapshots.contains(id) }
                }
            }
        }
    }
}

import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// The source image is deleted in mid-sync.
    @Suite struct SourceDeletionTests {
        /// How; each image is named after it.
        fileprivate enum Deletion: String, CaseIterable {
            case rm, trash
            /// Object by object, behind librbd's back: its mirror record stays.
            case objects
        }

        private static let objectSize = 64 << 10

        @Test func deletedInMidSync() async throws {
            try await withScene("deleted") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(.forRun("deleted"), size: 12 << 20)
                let daemon = try await scene.startDaemon(on: siteB, options: ["--rbd_mirroring_delete_delay", "3600"])
                for deletion in Deletion.allCases {
                    let image = deletion.rawValue
                    try await scene.createImage(image, mebibytes: 12, options: ["--object-size", "64K"])
                    var points: [ImageBytes] = []
                    for round in 1...2 {
                        try await workload.fill { try await siteA.write($0, to: image) }
                        points.append(try await ImageBytes.of(image, on: siteA, objectSize: Self.objectSize))
                        if round == 2 { try await siteB.slowDown() }
                        try await scene.takeMirrorSnapshot(image)
                        if round == 1 { try await scene.waitForSync(image) }
                    }
                    try await scene.holdSync(image)
                    let id = try await siteB.imageID(image)
                    try await siteA.delete(image, deletion)
                    try await siteB.goAtFullSpeed()
                    if deletion == .objects {
                        try await isKept(image, scene, points, id)
                    } else {
                        try await siteB.waitUntilUnnamed(image)
                        #expect(try await siteB.trash().map(\.id) == [id])
                        try await siteB.rbd("trash", "restore", "--pool", siteB.pool, id)
                        try await ImageBytes.of(image, on: siteB, objectSize: Self.objectSize).expectObjects(of: points)
                    }
                }
                try await daemon.terminate()
            }
        }

        /// What has a record and no image proves nothing: the replica stays, says so, and falls back to its last point.
        private func isKept(_ image: String, _ scene: Scene, _ points: [ImageBytes], _ id: String) async throws {
            let siteB = scene.siteB
            try await siteB.waitForStatus(image, "without a source") { status in
                status.state == "up+error" && status.description.contains("the source's image is gone")
            }
            #expect(try await siteB.imageID(image) == id)
            #expect(try await siteB.trash().isEmpty)
            try await ImageBytes.of(image, on: siteB, objectSize: Self.objectSize).expectObjects(of: points)
            try await siteB.mirror("promote", "--force", image: image)
            try await ImageBytes.of(image, on: siteB, objectSize: Self.objectSize).expectObjects(of: [points[0]])
        }
    }
}

extension Site {
    /// Deletes a source image, and returns when its objects are gone.
    fileprivate func delete(_ image: String, _ how: EndToEnd.SourceDeletionTests.Deletion) async throws {
        let id = try await imageID(image)
        switch how {
        case .rm: try await rbd("rm", "--no-progress", spec(image))
        case .trash:
            try await rbd("trash", "mv", spec(image))
            try await rbd("trash", "rm", "--no-progress", "--force", "--pool", pool, id)
        case .objects:
            let names = try await objects().filter { $0.contains(id) || $0 == "rbd_id.\(image)" }
            // The header first, as a person would who does not know.
            let order = names.filter { $0.hasPrefix("rbd_header") } + names.filter { !$0.hasPrefix("rbd_header") }
            try await cluster.run("rados", ["-p", pool, "rm"] + order)
        }
    }
}

import CephCore
import SnapshotDelta
import Testing

/// What a clone has from its parent, from the beginning of time.
@Suite(.timeLimit(.minutes(5))) struct DeltaCloneTests {
    @Test func whatTheParentShowsCounts() async throws {
        try await Live.withImages { pool, name in
            let parent = name + "-0parent"
            let mebibyte: UInt64 = 1 << 20
            try await pool.createImage(parent, size: 8 * mebibyte, .init(order: 20))
            try await pool.withImage(parent, for: .readWrite) { image in
                try await image.write([UInt8](repeating: 1, count: 2 << 20), at: 3 * mebibyte)
                try await image.createSnapshot("origin")
            }
            try await pool.cloneImage(parent, at: "origin", to: name, .init(features: ImageKind.usual, order: 22, cloneFormat: 2))
            try await pool.withImage(name, for: .readWrite) { try await $0.discard(4 * mebibyte..<8 * mebibyte) }
            try await pool.withImage(name) { image in
                let extents = try await all(SnapshotDelta(of: image))
                #expect(extents.map(\.range) == [3 * mebibyte..<4 * mebibyte])
                #expect(extents.allSatisfy { !$0.isHole })
                #expect(try await all(SnapshotDelta(of: image, includingParent: false)) == [])
            }
        }
    }
}

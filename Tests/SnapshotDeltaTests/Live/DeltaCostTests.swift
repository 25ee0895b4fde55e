import CephCore
import CephSandbox
import Foundation
import SnapshotDelta
import Testing

/// A delta of a 10 GiB image reads what changed and no more, as stock's; how long it takes `delta-benchmark` measures.
@Suite(.timeLimit(.minutes(15))) struct DeltaCostTests {
    private static let objects = 2560
    private static let objectSize: UInt64 = 4 << 20

    @Test func aDeltaCostsByWhatChanged() async throws {
        try await Live.withImages { pool, name in
            let size = UInt64(Self.objects) * Self.objectSize
            try await pool.createImage(name, size: size, .init(features: ImageKind.usual, order: 22))
            try await pool.withImage(name, for: .readWrite) { image in
                // 64 KiB in each object, so that a change within one is told from the object.
                try await write(image, Self.objects, 64 << 10) { UInt64($0) * Self.objectSize }
            }
            var costs: [Int: UInt64] = [:]
            for (round, extents) in [1, 100, 10_000].enumerated() {
                let (start, end) = ("s\(round)a", "s\(round)b")
                try await pool.withImage(name, for: .readWrite) { image in
                    try await image.createSnapshot(start)
                    // Four places in each object at most, apart from each other and evenly over the image.
                    try await write(image, extents) { number in
                        let object = extents < Self.objects ? number * Self.objects / extents : number % Self.objects
                        return UInt64(object) * Self.objectSize + UInt64(number / Self.objects) * 8192
                    }
                    try await image.createSnapshot(end)
                }
                costs[extents] = try await measure(pool, name, from: start, to: end, extents)
            }
            #expect(costs == [1: 4096, 100: 409_600, 10_000: 40_960_000])
        }
    }

    /// Writes a little at so many places.
    private func write(_ image: Image, _ count: Int, _ length: Int = 4096, at place: @escaping @Sendable (Int) -> UInt64) async throws {
        let bytes = [UInt8](repeating: UInt8.random(in: 1...255), count: length)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<16 {
                group.addTask { for number in stride(from: lane, to: count, by: 16) { try await image.write(bytes, at: place(number)) } }
            }
            try await group.waitForAll()
        }
    }

    /// Returns the bytes that were read.
    private func measure(_ pool: Pool, _ name: String, from start: String, to end: String, _ extents: Int) async throws -> UInt64 {
        try await pool.withImage(name, at: .snapshot(end)) { image in
            let delta = SnapshotDelta(of: image, since: .snapshot(start))
            #expect(try await all(delta).count == extents)
            let output = MemoryStream()
            let progress = try await delta.write(to: output)
            let stock = try await Live.sandbox().exportedDiff(name, from: start, to: end)
            #expect(stock.count == output.bytes.count)
            return progress.bytesRead
        }
    }
}

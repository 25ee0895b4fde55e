import CephCore
import CephSandbox
import SnapshotDelta

/// What a delta of a 10 GiB image costs by what changed, beside the stock `rbd` and librbd: rows of a Markdown table.
@main struct DeltaBenchmark {
    static let objects = 2560
    static let objectSize: UInt64 = 4 << 20
    static let rounds = 5

    static func main() async throws {
        var configuration = SandboxConfiguration(options: ["paxos propose interval": "0.05"])
        configuration.manager = false
        try await withSandboxCluster("delta", configuration) { sandbox in
            try await sandbox.createPool("images")
            let cluster = try await Cluster.connect(.configurationFile(sandbox.configurationFile.string))
            let pool = try await cluster.pool("images")
            try await pool.createImage("disk", size: UInt64(objects) * objectSize, .init(
                features: [.layering, .exclusiveLock, .objectMap, .fastDiff, .deepFlatten], order: 22))
            // 64 KiB in each object, so that a change within one is told from the object.
            try await pool.withImage("disk", for: .readWrite) { image in
                try await write(image, objects, 64 << 10) { UInt64($0) * objectSize }
            }
            for (round, extents) in [1, 100, 10_000].enumerated() { try await measure(sandbox, pool, round, extents) }
            await cluster.shutdown()
        }
    }

    /// Writes a little at so many places.
    static func write(_ image: Image, _ count: Int, _ length: Int, at place: @escaping @Sendable (Int) -> UInt64) async throws {
        let bytes = [UInt8](repeating: UInt8.random(in: 1...255), count: length)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<16 {
                group.addTask { for number in stride(from: lane, to: count, by: 16) { try await image.write(bytes, at: place(number)) } }
            }
            try await group.waitForAll()
        }
    }

    static func measure(_ sandbox: SandboxCluster, _ pool: Pool, _ round: Int, _ extents: Int) async throws {
        let (start, end) = ("s\(round)a", "s\(round)b")
        try await pool.withImage("disk", for: .readWrite) { image in
            try await image.createSnapshot(start)
            try await write(image, extents, 4096) { number in
                let object = extents < objects ? number * objects / extents : number % objects
                return UInt64(object) * objectSize + UInt64(number / objects) * 8192
            }
            try await image.createSnapshot(end)
        }
        try await pool.withImage("disk", at: .snapshot(end)) { image in
            let delta = SnapshotDelta(of: image, since: .snapshot(start))
            var bytes: UInt64 = 0
            let found = try await median { for try await _ in delta {} }
            let written = try await median { bytes = try await delta.write(to: Nowhere()).bytesRead }
            let librbd = try await median { for try await _ in image.changes(since: start) {} }
            let stockFound = try await median { try await sandbox.rbd("diff", "--from-snap", start, "images/disk@\(end)") }
            let stockWritten = try await median {
                _ = try await sandbox.output("rbd", ["export-diff", "--no-progress", "--from-snap", start, "images/disk@\(end)", "-"])
            }
            print("| \(extents) | \(found) | \(librbd) | \(stockFound) | \(written) | \(stockWritten) | \(bytes) |")
        }
    }

    /// The median of some runs, in milliseconds.
    static func median(_ body: () async throws -> Void) async throws -> Double {
        var times: [Duration] = []
        for _ in 0..<rounds { times.append(try await ContinuousClock().measure(body)) }
        return (times.sorted()[rounds / 2] / .microseconds(100)).rounded() / 10
    }
}

/// Takes bytes and forgets them.
struct Nowhere: ByteOutput {
    func write(_ buffer: borrowing IOBuffer, _ range: Range<Int>) async throws {}
}

import CephCore
import CephSandbox
import Foundation
import SnapshotDelta
import TestSupport
import Testing

/// Streams between ours and stock's, judged by `rbd export` at every point.
@Suite(.timeLimit(.minutes(30))) struct DeltaStreamTests {
    /// What a history's points are carried over by.
    enum Way: String, CaseIterable, CustomTestStringConvertible {
        case oursToStock, stockToOurs, oursToOurs, copied
        var testDescription: String { rawValue }
    }

    static let kinds = ImageKind.all.filter {
        ["usual", "striped", "no object map", "lost maps", "clone", "striped clone"].contains($0.testDescription)
    }

    @Test(arguments: kinds) func everyPointArrives(_ kind: ImageKind) async throws {
        for seed in 0..<Live.count {
            try await Live.withImages { pool, name in
                var history = ImageHistory(kind, seed: 1000 + seed)
                try await history.make(name, in: pool)
                // Of a clone, stock's own streams lack what the parent shows again or no more.
                for way in Way.allCases where !(kind.isClone && way == .stockToOurs) {
                    // Other object sizes than the source's, and none as large.
                    let target = name + "-" + way.rawValue
                    try await pool.createImage(target, size: 1 << 20, .init(order: kind.testDescription == "usual" ? 22 : 19))
                    var last: String?
                    for point in history.snapshots + [nil] as [String?] {
                        try await carry(pool, name, to: target, from: last, to: point, way)
                        let same = try await Live.sandbox().exported(name, at: point).hasSameBytes(as: Live.sandbox().exported(target, at: point))
                        #expect(same, "\(way) \(point ?? "HEAD"), \(kind.testDescription) \(SeededRandom.hint) #\(seed)")
                        last = point
                    }
                    // What came later left the earlier ones alone.
                    for point in history.snapshots {
                        let same = try await pool.contents(of: name, at: point).hasSameBytes(as: pool.contents(of: target, at: point))
                        #expect(same, "\(way) \(point) afterwards, \(kind.testDescription) \(SeededRandom.hint) #\(seed)")
                    }
                }
            }
        }
    }

    private func carry(_ pool: Pool, _ name: String, to target: String, from start: String?, to end: String?, _ way: Way) async throws {
        let sandbox = try await Live.sandbox()
        switch way {
        case .oursToStock: try await sandbox.importDiff(stream(pool, name, from: start, to: end), into: target)
        case .stockToOurs: try await apply(sandbox.exportedDiff(name, from: start, to: end), pool, target)
        case .oursToOurs: try await apply(stream(pool, name, from: start, to: end, .v2), pool, target)
        case .copied:
            try await pool.withImage(name, at: end.map { .snapshot($0) }) { image in
                try await pool.withImage(target, for: .readWrite) { target in
                    _ = try await SnapshotDelta(of: image, since: start.map { .snapshot($0) })
                        .copy(to: target, memory: BufferPool(budget: 6 << 20))
                }
            }
        }
    }

    /// Stock merges two of our streams, and takes what comes out.
    @Test func stockMergesOurs() async throws {
        try await Live.withImages { pool, name in
            let sandbox = try await Live.sandbox()
            var history = ImageHistory(ImageKind.all[0], seed: 2000)
            try await history.make(name, in: pool)
            let points = [nil] + history.snapshots + [nil] as [String?]
            var files: [String] = []
            for (start, end) in zip(points, points.dropFirst()) {
                let file = sandbox.folder.appending("\(name)-\(files.count)").string
                try Data(try await stream(pool, name, from: start, to: end)).write(to: URL(filePath: file))
                files.append(file)
            }
            defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
            var merged = files[0]
            for next in files[1...] {
                let output = merged + "+"
                try await sandbox.rbd("merge-diff", "--no-progress", merged, next, output)
                merged = output
                files.append(output)
            }
            for (way, suffix) in [(true, "-stock"), (false, "-ours")] {
                try await pool.createImage(name + suffix, size: 1 << 20)
                let bytes = try [UInt8](Data(contentsOf: URL(filePath: merged)))
                if way { try await sandbox.importDiff(bytes, into: name + suffix) } else { try await apply(bytes, pool, name + suffix) }
                let same = try await pool.contents(of: name, at: nil).hasSameBytes(as: pool.contents(of: name + suffix, at: nil))
                #expect(same, "\(suffix) \(SeededRandom.hint)")
            }
        }
    }

    /// Version 2 as stock has it: a whole image with its snapshots, written by one and read by the other.
    @Test func wholeImagesInVersionTwo() async throws {
        try await Live.withImages { pool, name in
            let sandbox = try await Live.sandbox()
            var history = ImageHistory(ImageKind.all[1], seed: 3000)
            try await history.make(name, in: pool)
            try await pool.withImage(name, for: .readWrite) { try await $0.protectSnapshot(history.snapshots[0]) }
            let points = [nil] + history.snapshots + [nil] as [String?]

            var ours = hex("'rbd image v2' 0a 4f 0800000000000000 1300000000000000 45 'rbd image diffs v2' 0a")
            withUnsafeBytes(of: UInt64(points.count - 1).littleEndian) { ours += $0 }
            for (start, end) in zip(points, points.dropFirst()) { ours += try await stream(pool, name, from: start, to: end, .v2) }
            let file = sandbox.folder.appending(name)
            try Data(ours).write(to: URL(filePath: file.string))
            defer { try? FileManager.default.removeItem(atPath: file.string) }
            try await sandbox.rbd(
                "import", "--no-progress", "--export-format", "2", file.string, "images/\(name)-stock")

            let export = try await sandbox.output("rbd", ["export", "--no-progress", "--export-format", "2", "images/\(name)", "-"])
            let mark = Array("rbd image diffs v2\n".utf8)
            let place = try #require(export.standardOutput.firstRange(of: mark))
            let reader = DiffReader(MemoryStream(Array(export.standardOutput[(place.upperBound + 8)...])))
            try await pool.createImage(name + "-ours", size: 1 << 20)
            try await pool.withImage(name + "-ours", for: .readWrite) { image in
                for end in points.dropFirst() {
                    let header = try await reader.apply(to: image).header
                    #expect(header.format == .v2 && header.end == end)
                }
                #expect(try await image.isSnapshotProtected(history.snapshots[0]))
                #expect(try await !image.isSnapshotProtected(history.snapshots[1]))
            }
            for suffix in ["-stock", "-ours"] {
                for point in points.dropFirst() {
                    let same = try await sandbox.exported(name, at: point).hasSameBytes(as: sandbox.exported(name + suffix, at: point))
                    #expect(same, "\(suffix) \(point ?? "HEAD") \(SeededRandom.hint)")
                }
            }
        }
    }

    /// Mirror snapshots as points, by id; stock's tools of this release cannot name them.
    @Test func betweenMirrorSnapshots() async throws {
        try await Live.withImages { pool, name in
            // Without a peer no mirror snapshots are made.
            if try await pool.mirrorMode() != .image {
                try await pool.setMirrorMode(.image)
                try await Live.sandbox().rbd("mirror", "pool", "peer", "add", "images", "client.nobody@elsewhere")
            }
            try await pool.createImage(name, size: 16 << 20, .init(order: 20))
            let (first, second, before) = try await pool.withImage(name, for: .readWrite) { image in
                try await image.write([UInt8](repeating: 7, count: 5 << 20), at: 1 << 20)
                try await image.enableMirroring(.snapshot)
                let first = try await image.createMirrorSnapshot()
                let before = try await image.contents()
                try await image.write([UInt8](repeating: 8, count: 70_000), at: 3 << 20)
                try await image.discard(5 << 20..<6 << 20)
                return (first, try await image.createMirrorSnapshot(), before)
            }
            try await pool.withImage(name, at: .snapshotID(second)) { image in
                #expect(image.snapshotID == second)
                let after = try await image.contents()
                let extents = try await all(SnapshotDelta(of: image, since: .snapshotID(first)))
                let mebibyte: UInt64 = 1 << 20
                let written = 3 * mebibyte..<3 * mebibyte + 70_000
                #expect(extents.map(\.range) == [written, 5 * mebibyte..<6 * mebibyte])
                #expect(extents.map(\.isHole) == [false, true])
                #expect(before != after)
                #expect(try await all(SnapshotDelta(of: image, since: .snapshotID(second))) == [])
            }
        }
    }
}

/// The delta as a stream, with little memory.
func stream(_ pool: Pool, _ name: String, from start: String?, to end: String?, _ format: DiffFormat = .v1) async throws -> [UInt8] {
    let output = MemoryStream()
    try await pool.withImage(name, at: end.map { .snapshot($0) }) { image in
        _ = try await SnapshotDelta(of: image, since: start.map { .snapshot($0) })
            .write(to: output, as: format, memory: BufferPool(budget: 6 << 20))
    }
    return output.bytes
}

func apply(_ stream: [UInt8], _ pool: Pool, _ target: String) async throws {
    try await pool.withImage(target, for: .readWrite) { image in
        _ = try await DiffReader(MemoryStream(stream)).apply(to: image, memory: BufferPool(budget: 6 << 20))
    }
}

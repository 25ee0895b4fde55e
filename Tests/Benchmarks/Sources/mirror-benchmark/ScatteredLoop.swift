import CephCore
import RBDImage

/// The reads and writes of row 2 and nothing else: the limit of any replay of such a delta.
///
/// As many small pieces as the row writes, at random places; each object is one read at the source and one write at the
/// target under a new snapshot, so that the target's OSD keeps the object as it was, as it must.
struct ScatteredLoop {
    let sites: Sites
    let image: MirroredImage

    private static let pieces = 8192
    private static let pieceSize: UInt64 = 4096

    /// Returns the seconds it took and the bytes there were.
    func run(depth: Int) async throws -> (seconds: Double, bytes: Int) {
        let name = "scattered-\(depth)"
        try await sites.pair.siteB.createPool(name)
        let pool = try await sites.replica.cluster.pool(name)
        let source = sites.source
        let header = try await source.imageHeader(image.id)
        let size = header.layout.objectSize
        let ranges = Self.ranges(in: header.objectCount(forSize: header.size), objectSize: size)
        try await concurrently(Array(ranges.keys), width: 16) { number in
            let data = try await source.data(of: header.objectName(number), in: [0..<size])
            try await pool.apply(Self.update(of: data), to: "\(number)")
        }
        let snapshot = try await pool.createSelfManagedSnapshot()
        let target = try pool.writing(in: SnapshotContext([snapshot]))
        let start = ContinuousClock.now
        try await concurrently(ranges.keys.sorted(), width: depth) { number in
            let data = try await source.data(of: header.objectName(number), in: ranges[number]!)
            try await target.apply(Self.update(of: data), to: "\(number)")
        }
        let seconds = start.duration(to: .now) / .seconds(1)
        try await sites.pair.siteB.removePool(name)
        return (seconds, Self.pieces * Int(Self.pieceSize))
    }

    private static func ranges(in objects: UInt64, objectSize: UInt64) -> [UInt64: [Range<UInt64>]] {
        let perObject = objectSize / pieceSize
        let chosen = Set((0..<pieces).map { _ in UInt64.random(in: 0..<objects * perObject) }).sorted()
        return Dictionary(grouping: chosen) { $0 / perObject }.mapValues { pieces in
            pieces.map { $0 % perObject * pieceSize..<($0 % perObject + 1) * pieceSize }
        }
    }

    private static func update(of data: ObjectData) -> ObjectUpdate {
        var update = ObjectUpdate()
        for (piece, range) in data.ranges.enumerated() {
            let count = data.withPiece(piece) { $0.count }
            if count > 0 { update.write(data, piece: piece, 0..<count, at: range.lowerBound) }
        }
        return update
    }
}

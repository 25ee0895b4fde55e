import CephCore
import TestSupport
import Testing

/// A kind of image, and how it comes to be.
struct ImageKind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var options: ImageOptions
    var isClone = false
    /// Object maps are switched off and on again in mid-history: those of older snapshots are missing then.
    var losesMaps = false

    static let usual: Image.Features = [.layering, .exclusiveLock, .objectMap, .fastDiff, .deepFlatten]

    static let all: [ImageKind] = [
        ImageKind("usual", .init(features: usual, order: 20)),
        ImageKind("small objects", .init(features: usual, order: 14)),
        ImageKind("large objects", .init(features: usual, order: 22)),
        ImageKind("striped", .init(features: usual, order: 16, stripeUnit: 4096, stripeCount: 3)),
        ImageKind("striped wide", .init(features: usual, order: 20, stripeUnit: 65536, stripeCount: 4)),
        ImageKind("no object map", .init(features: [.layering, .exclusiveLock], order: 20)),
        ImageKind("no fast-diff", .init(features: [.layering, .exclusiveLock, .objectMap], order: 20)),
        ImageKind("lost maps", .init(features: usual, order: 20), losesMaps: true),
        ImageKind("other data pool", .init(features: usual, order: 20, dataPool: "data")),
        ImageKind("clone", .init(features: usual, order: 20, cloneFormat: 2), isClone: true),
        ImageKind("clone without maps", .init(features: [.layering, .exclusiveLock], order: 18, cloneFormat: 2), isClone: true),
        ImageKind("striped clone", .init(
            features: usual, order: 16, stripeUnit: 8192, stripeCount: 2, cloneFormat: 2), isClone: true),
        ImageKind("clone with shallow flatten", .init(
            features: [.layering, .exclusiveLock, .objectMap, .fastDiff], order: 20, cloneFormat: 2), isClone: true),
    ]

    init(_ name: String, _ options: ImageOptions, isClone: Bool = false, losesMaps: Bool = false) {
        testDescription = name
        self.options = options
        self.isClone = isClone
        self.losesMaps = losesMaps
    }
}

/// A random history of one image, which its seed repeats.
struct ImageHistory {
    private var random: SeededRandom
    private let kind: ImageKind
    private let size: UInt64 = 12 << 20
    private(set) var snapshots: [String] = []
    /// The smallest size in each round: before the first snapshot, between it and the second, and so on; the last one's is HEAD's.
    private var smallest: [UInt64] = []

    init(_ kind: ImageKind, seed: Int) {
        self.kind = kind
        random = SeededRandom.forRun("\(kind.testDescription) \(seed)")
    }

    /// Makes the image with all its snapshots; what it is a clone of is called before it.
    mutating func make(_ name: String, in pool: Pool) async throws {
        if kind.isClone {
            try await makeParents(name, pool)
            try await pool.cloneImage(name + "-0parent", at: "origin", to: name, kind.options)
        } else {
            try await pool.createImage(name, size: size, kind.options)
        }
        try await pool.withImage(name, for: .readWrite) { image in
            for round in 0..<5 {
                smallest.append(try await image.size())
                // Else little of a parent is left to see.
                for _ in 0..<12 { try await change(image, resizes: !kind.isClone || round > 1) }
                if kind.losesMaps, round == 2 {
                    try await image.updateFeatures([.objectMap, .fastDiff], enabled: false)
                    for _ in 0..<6 { try await change(image) }
                    try await image.updateFeatures([.objectMap, .fastDiff], enabled: true)
                }
                if kind.isClone, round == 3, random.oneIn(2) { try await image.flatten() }
                if !kind.isClone, round == 3, random.oneIn(2) { try await goBack(to: snapshots[0], image) }
                if round < 4 { try await take("s\(round)", image) }
            }
            if random.oneIn(2), snapshots.count > 2 { try await image.removeSnapshot(snapshots.remove(at: 1)) }
            try await image.flush()
        }
    }

    /// The smallest size that the image had between two points: what lies beyond was lost, even where nothing shows it.
    func smallestSize(from start: String?, to end: String?) -> UInt64 {
        let round = { (name: String) in Int(name.dropFirst())! }
        let first = start.map { round($0) + 1 } ?? 0
        return smallest[first...(end.map(round) ?? smallest.count - 1)].min()!
    }

    /// A parent that is itself a clone, laid out otherwise.
    private mutating func makeParents(_ name: String, _ pool: Pool) async throws {
        try await pool.createImage(name + "-1root", size: 7 << 20, .init(order: 18))
        try await pool.withImage(name + "-1root", for: .readWrite) { image in
            for _ in 0..<8 { try await change(image) }
            try await image.createSnapshot("origin")
        }
        let options = ImageOptions(order: 19, stripeUnit: 16384, stripeCount: 2, cloneFormat: 2)
        try await pool.cloneImage(name + "-1root", at: "origin", to: name + "-0parent", options)
        try await pool.withImage(name + "-0parent", for: .readWrite) { image in
            try await image.resize(to: size, shrinking: true)
            for _ in 0..<8 { try await change(image, resizes: false) }
            try await image.createSnapshot("origin")
        }
    }

    private mutating func take(_ snapshot: String, _ image: Image) async throws {
        try await image.createSnapshot(snapshot)
        snapshots.append(snapshot)
    }

    /// The object map does not tell what changes.
    private mutating func goBack(to snapshot: String, _ image: Image) async throws {
        try await image.rollBack(toSnapshot: snapshot)
        smallest[smallest.count - 1] = min(smallest.last!, try await image.size())
    }

    private mutating func change(_ image: Image, resizes: Bool = true) async throws {
        let size = try await image.size()
        switch random.below(resizes ? 14 : 12) {
        case 0..<6:
            let range = range(below: size, upTo: random.oneIn(3) ? 2 << 20 : 32 << 10)
            try await image.write(bytes(Int(range.upperBound - range.lowerBound)), at: range.lowerBound)
        case 6:
            let range = range(below: size, upTo: 1 << 20)
            try await image.write([UInt8](repeating: 0, count: Int(range.upperBound - range.lowerBound)), at: range.lowerBound)
        case 7, 8: try await image.writeZeroes(range(below: size, upTo: 3 << 20))
        case 9, 10: try await image.discard(range(below: size, upTo: 5 << 20))
        case 11:
            // Whole objects of any kind of image.
            let object = UInt64(4 << 20)
            let start = UInt64(random.below(Int(size / object) + 1)) * object
            if start < size { try await image.discard(start..<min(start + object, size)) }
        default:
            let smaller = random.oneIn(2)
            let new = smaller ? UInt64(random.below(Int(size))) + 1 : size + UInt64(random.below(4 << 20))
            let rounded = max(new, 2 << 20) & ~511
            try await image.resize(to: rounded, shrinking: true)
            if let last = smallest.indices.last { smallest[last] = min(smallest[last], rounded) }
        }
    }

    private mutating func range(below size: UInt64, upTo limit: Int) -> Range<UInt64> {
        let count = UInt64(1 + random.below(min(limit, Int(size))))
        let start = UInt64(random.below(Int(size - count) + 1))
        // Most writers keep to sectors; some do not.
        guard random.below(4) > 0, start &+ count > 1024 else { return start..<start + count }
        let aligned = start & ~511
        return aligned..<min(aligned + (count + 511) & ~511, size)
    }

    private mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { buffer in
            for offset in stride(from: 0, to: count & ~7, by: 8) { buffer.storeBytes(of: random.next(), toByteOffset: offset, as: UInt64.self) }
            for offset in count & ~7..<count { buffer[offset] = UInt8(truncatingIfNeeded: random.next()) }
        }
        return bytes
    }
}

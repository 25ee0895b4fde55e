internal import CephCore

/// Finds which bytes of an object changed between two source points.
///
/// Best source first: the object's snapshot set, else server-side checksums of both versions. A target is compared by checksums.
public struct ExtentFinder: Sendable {
    /// How extents are found.
    public struct Method: Hashable, Sendable {
        let name: String
        /// `list_snaps`; needs librados.hpp at build time.
        public static let snapshotSets = Method(name: "snapshot sets")
        /// Digests of chunks, computed on the OSDs.
        public static let checksums = Method(name: "checksums")
    }

    public let method: Method
    /// Chunk that is compared, in bytes.
    public let chunk: Int
    private let seed = UInt64.random(in: .min ... .max)

    public init(method: Method? = nil, chunk: Int = 4096) {
        self.method = method ?? (Pool.usesNative ? .snapshotSets : .checksums)
        self.chunk = chunk
    }

    /// How an object differs between two points; its size at the newer one is always told.
    ///
    /// - Parameters:
    ///   - base: The older point; 0 for the beginning of time.
    ///   - end: The newer point, a snapshot id or that of HEAD, at which `pool` is seen.
    func change(
        of history: inout ObjectHistory, from base: UInt64, to end: UInt64, in pool: Pool, objectSize: UInt64
    ) async throws -> ObjectChange {
        guard method == .snapshotSets else { return try await changeByChecksum(of: history.name, from: base, in: pool, objectSize) }
        return try await history.snapshotSet(in: pool)?.change(from: base, to: end, objectSize: objectSize) ?? .neverThere
    }

    private func changeByChecksum(
        of name: String, from base: UInt64, in pool: Pool, _ objectSize: UInt64
    ) async throws -> ObjectChange {
        let before = try base == 0 ? nil : ObjectVersion(name: name, pool: pool.reading(at: base))
        return try await change(from: before, to: ObjectVersion(name: name, pool: pool), objectSize)
    }

    /// Checksums chunks of both versions; the tail that only one of them has counts as changed.
    ///
    /// - Parameter before: May be another object, on another cluster; nil for none.
    func change(from before: ObjectVersion?, to now: ObjectVersion, _ objectSize: UInt64) async throws -> ObjectChange {
        async let sizeNow = size(of: now)
        let old: UInt64? = if let before { try await size(of: before) } else { nil }
        guard let new = try await sizeNow else { return old.map { .gone(sizeAtStart: $0) } ?? .neverThere }
        guard let before, let old else { return .whole(objectSize: objectSize, sizeAtEnd: new) }
        let common = min(old, new)
        let aligned = common / UInt64(chunk) * UInt64(chunk)
        var ranges: [Range<UInt64>] = []
        if aligned > 0 {
            async let first = digests(of: before, 0..<aligned, chunk: chunk)
            async let second = digests(of: now, 0..<aligned, chunk: chunk)
            ranges = ChecksumComparison.differingRanges(try await first, try await second, chunk: chunk, size: aligned)
        }
        var end = aligned
        if common > aligned, common == new {
            async let first = digests(of: before, aligned..<common, chunk: Int(common - aligned))
            async let second = digests(of: now, aligned..<common, chunk: Int(common - aligned))
            if try await first == second { end = common }
        }
        if new > end { ranges.append(end..<new) }
        return ObjectChange(existedAtStart: true, existsAtEnd: true, sizeAtEnd: new, sizeAtStart: old, ranges: ranges)
    }

    private func size(of version: ObjectVersion) async throws -> UInt64? {
        do throws(CephError) { return try await version.pool.stat(version.name).size } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private func digests(of version: ObjectVersion, _ range: Range<UInt64>, chunk: Int) async throws -> [UInt64] {
        var operation = ReadOperation()
        let digests = operation.checksums(.xxhash64, of: range, chunk: chunk, seed: seed)
        try await version.pool.perform(operation, on: version.name)
        return try digests.value()
    }
}

/// An object as it is seen through a pool, at a snapshot or as it is.
struct ObjectVersion: Sendable {
    let name: String
    let pool: Pool
}

/// An object's snapshot set, asked for once however many revisions need it.
struct ObjectHistory {
    let name: String
    private var set: ObjectSnapshotSet??

    init(name: String) { self.name = name }

    /// Nil when the object has neither head nor clones.
    mutating func snapshotSet(in pool: Pool) async throws -> ObjectSnapshotSet? {
        if let set { return set }
        let found: ObjectSnapshotSet?
        do throws(CephError) { found = try await pool.snapshotSet(of: name) } catch {
            guard error.isNotFound else { throw error }
            found = nil
        }
        set = .some(found)
        return found
    }
}

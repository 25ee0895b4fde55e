import CephCore
import CephSandbox
import Glibc

/// Compares both sides of an image through librbd: quick enough to do it after every sync.
struct HistoryJudge {
    let source: Pool
    let replica: Pool
    /// Features that each side decides for itself.
    var ownFeatures: Image.Features = [.nonPrimary, .dataPool]
    /// Whether both sides' maps must say the same of what changed. Not those of clones, see `checkObjectMaps`; nor those that
    /// were made anew, which do not know what was written and is the same, or that do not know of a rollback.
    var comparesChanges = true
    /// Checksums of the source's user snapshots, by their ids: what is in them stays.
    private var known: [UInt64: [UInt32]] = [:]

    init(source: Pool, replica: Pool) {
        self.source = source
        self.replica = replica
    }

    /// Waits until the replica has a mirror snapshot of the source, and nothing in the making or of earlier ones.
    ///
    /// A sync of sixteen thousand objects without a map asks for each on both sides: eight seconds on a machine with nothing else to
    /// do, a minute beside all other tests.
    func waitForSync(_ name: String, to point: UInt64) async throws {
        var last = "no image"
        do {
            try await waitUntil("snapshot \(point) of \(name) is here", within: .seconds(240), every: .milliseconds(30)) {
                guard let snapshots = try? await replica.withImage(name, { try await $0.snapshots() }) else { return false }
                last = snapshots.map { "\($0)" }.joined(separator: "\n")
                guard let newest = snapshots.last(where: { $0.mirror != nil })?.mirror else { return false }
                return newest.isComplete && newest.primarySnapshotID == point
                    && snapshots.filter { ($0.mirror?.primarySnapshotID ?? 0) > 0 }.count == 1 && !snapshots.contains(where: \.isTrash)
            }
        } catch { throw Disagreement(image: name, lines: ["\(error)", last]) }
    }

    /// - Throws: ``Disagreement`` with the first that differs.
    mutating func compare(_ name: String) async throws {
        async let left = source.openImage(name), right = replica.openImage(name)
        let (ours, theirs) = try await (left, right)
        let result: Result<Void, any Error>
        do {
            try await compare(ours, theirs)
            result = .success(())
        } catch { result = .failure(error) }
        try await ours.close()
        try await theirs.close()
        try result.get()
    }

    private mutating func compare(_ ours: Image, _ theirs: Image) async throws {
        let info = try await ours.info()
        // Without maps changes are found by the versions of objects; those that went up and back between mirror snapshots, of
        // which each side has its own, count or do not.
        let hasMaps = comparesChanges && info.features.contains(.fastDiff) && info.flags.isEmpty
        async let left = facts(of: ours, withChanges: hasMaps), right = facts(of: theirs, withChanges: hasMaps)
        let (a, b) = try await (left, right)
        guard try await theirs.info().flags.isEmpty else { throw Disagreement(image: ours.name, lines: ["the replica's maps are invalid"]) }
        guard a == b else {
            let lines = Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted().map { "\($0): \(a[$0] ?? "-") | \(b[$0] ?? "-")" }
            throw Disagreement(image: ours.name, lines: lines)
        }
        try await compareBytes(ours, theirs, "HEAD")
        for snapshot in try await ours.snapshots() where snapshot.kind == .user {
            let sums: [UInt32]
            if let seen = known[snapshot.id] { sums = seen } else { sums = try await checksums(of: snapshot.name, ours.name, source) }
            known[snapshot.id] = sums
            guard try await checksums(of: snapshot.name, ours.name, replica) == sums else {
                throw Disagreement(image: ours.name, lines: ["the content of \(snapshot.name)"])
            }
        }
    }

    /// The size, and checksums of all parts.
    private func checksums(of snapshot: String, _ image: String, _ pool: Pool) async throws -> [UInt32] {
        try await pool.withImage(image, at: .snapshot(snapshot)) { image in
            let size = try await image.size()
            let buffer = IOBuffer(capacity: Self.part)
            var sums = [UInt32(size >> 9), UInt32(size & 511)]
            for start in stride(from: 0, to: size, by: Self.part) {
                let count = min(Self.part, Int(size - start))
                guard try await image.read(at: start, into: buffer, 0..<count) == count else {
                    throw Disagreement(image: image.name, lines: ["\(snapshot) ends early"])
                }
                sums.append(buffer.withBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[..<count])) })
            }
            return sums
        }
    }

    private static let part = 4 << 20

    /// What is said of an image, its user snapshots, and what changed between them.
    private func facts(of image: Image, withChanges: Bool) async throws -> [String: String] {
        let info = try await image.info()
        let users = try await image.snapshots().filter { $0.kind == .user }
        var facts = [
            "size": "\(info.size)", "features": "\(info.features.subtracting(ownFeatures).rawValue)",
            "order": "\(info.order) \(info.stripeUnit) \(info.stripeCount)", "metadata": "\(try await image.metadata().sorted { $0.key < $1.key })",
            "limit": "\(String(describing: try await image.snapshotLimit()))",
            "parent": "\(try await image.parent().map { "\($0.image.poolName)/\($0.image.namespace)/\($0.image.imageName) \($0.overlap)" } ?? "none")",
        ]
        var listed: [String] = []
        for user in users { listed.append("\(user.name) \(user.size) \(try await image.isSnapshotProtected(user.name))") }
        facts["snapshots"] = listed.joined(separator: ", ")
        guard withChanges else { return facts }
        let points = [nil] + users.map { Optional($0.name) }
        for (start, end) in zip(points, points.dropFirst() + [nil]) {
            let name = "changes \(start ?? "")..\(end ?? "")"
            guard let end else {
                facts[name] = try await changes(of: image, since: start)
                continue
            }
            facts[name] = try await image.pool.withImage(image.name, at: .snapshot(end)) { try await changes(of: $0, since: start) }
        }
        return facts
    }

    private func changes(of image: Image, since start: String?) async throws -> String {
        var text = ""
        // 16.2 forgets holes beyond the end of a smaller mirror snapshot between the two points, and each side has its own.
        for try await extent in image.changes(since: start, wholeObjects: true) where extent.exists {
            text += "\(extent.range.lowerBound)+\(extent.range.count) "
        }
        return text
    }

    private func compareBytes(_ ours: Image, _ theirs: Image, _ point: String) async throws {
        let size = try await ours.size()
        guard try await theirs.size() == size else { throw Disagreement(image: ours.name, lines: ["the size at \(point)"]) }
        let length = Self.part
        let left = IOBuffer(capacity: length), right = IOBuffer(capacity: length)
        for start in stride(from: 0, to: size, by: length) {
            let count = min(length, Int(size - start))
            let counts = [
                try await ours.read(at: start, into: left, 0..<count), try await theirs.read(at: start, into: right, 0..<count),
            ]
            guard counts == [count, count] else { throw Disagreement(image: ours.name, lines: ["\(point) ends early: \(counts)"]) }
            // Not by the elements: that takes a debug build minutes.
            let first = left.withBytes { a in
                right.withBytes { b in memcmp(a.baseAddress!, b.baseAddress!, count) == 0 ? nil : (0..<count).first { a[$0] != b[$0] } }
            }
            if let first {
                throw Disagreement(image: ours.name, lines: ["\(point) differs from byte \(Int(start) + first) on", try await difference(ours)])
            }
        }
    }

    /// Which objects differ, in what, and whether the source's HEAD is its newest mirror snapshot.
    private func difference(_ image: Image) async throws -> String {
        let order = try await image.info().order
        let newest = try await image.snapshots().last { $0.mirror != nil }
        func bytes(_ pool: Pool, at point: Image.SnapshotReference?) async throws -> [UInt8] {
            try await pool.withImage(image.name, at: point) { try await $0.read(0..<(try await $0.size())) }
        }
        let (head, there) = (try await bytes(source, at: nil), try await bytes(replica, at: nil))
        let point = if let newest { try await bytes(source, at: .snapshotID(newest.id)) } else { head }
        var lines: [String] = []
        for start in stride(from: 0, to: head.count, by: 4096) {
            let block = start..<min(start + 4096, head.count)
            guard head[block] != there[block] || head[block] != point[block] else { continue }
            let what = [("HEAD", head), ("mirror snapshot", point), ("replica", there)]
                .map { "\($0.0) \($0.1[block].allSatisfy { $0 == 0 } ? "zeroes" : "\(CRC32C.of($0.1[block]))")" }
            lines.append("\(start) (object \(start >> Int(order))): \(what.joined(separator: ", "))")
        }
        return "\(lines.count) blocks differ:\n" + (lines.prefix(12) + lines.suffix(4)).joined(separator: "\n")
    }
}

extension CRC32C {
    fileprivate static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.withUnsafeBytes { checksum($0) } }
}

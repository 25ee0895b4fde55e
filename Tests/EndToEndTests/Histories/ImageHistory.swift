import CephCore
import TestSupport

/// The random life of one primary image: data, sizes, names, snapshots, metadata, features, all through librbd.
struct ImageHistory {
    let pool: Pool
    private(set) var name: String
    /// What was done, for whoever has to find out what went wrong.
    private(set) var record: [String] = []
    /// Object maps were switched on, or do not tell what a rollback changed.
    private(set) var hasOwnMaps = false
    let image: Image
    private var random: SeededRandom
    private var data: RandomData
    private var size: UInt64
    private var snapshots: [UserSnapshot] = []
    private var names = 0
    private var mayFlatten: Bool
    private let mayRollBack: Bool

    private struct UserSnapshot {
        var name: String
        var isProtected = false
    }

    static let largest: UInt64 = 64 << 20
    private let objectSize: Int
    private let isJournaled: Bool
    /// All bytes of all of them are compared after each sync: an operation for each object.
    private var mostSnapshots: Int { objectSize < 16 << 10 ? 2 : 5 }

    /// Opens an image that is there.
    ///
    /// - Parameter isClone: Whether it may be flattened on the way.
    init(of name: String, in pool: Pool, isClone: Bool, _ random: SeededRandom) async throws {
        (self.pool, self.name, self.random, mayFlatten) = (pool, name, random, isClone)
        data = RandomData(random)
        mayRollBack = self.random.oneIn(2)
        image = try await pool.openImage(name, for: .readWrite)
        size = try await image.size()
        let info = try await image.info()
        objectSize = 1 << Int(info.order)
        isJournaled = info.features.contains(.journaling)
    }

    /// Does one thing out of all that can be done to an image.
    mutating func step() async throws {
        switch random.below(100) {
        case ..<36: try await write()
        case ..<48: try await discard()
        case ..<54: try await writeZeroes()
        case ..<55: try await writeSame()
        case ..<56: try await compareAndWrite()
        case ..<62: try await resize()
        case ..<71: try await createSnapshot()
        case ..<89: try await changeSnapshot()
        case ..<92: try await rename()
        case ..<95: try await changeMetadata()
        case ..<99: try await changeFeatures()
        default: try await flatten()
        }
    }

    mutating func takeMirrorSnapshot() async throws -> UInt64 {
        let id = try await image.createMirrorSnapshot()
        note("mirror snapshot \(id)")
        return id
    }

    private mutating func note(_ what: String) { record.append(what) }

    // MARK: Data

    private mutating func write() async throws {
        let most = isJournaled && random.oneIn(12) ? 4 << 20 : random.oneIn(4) ? 1 << 20 : 64 << 10
        let range = range(upTo: most)
        let bytes = random.oneIn(10) ? [UInt8](repeating: 0, count: range.count) : data.bytes(range.count)
        note("write \(range)\(bytes.allSatisfy { $0 == 0 } ? " of zeroes" : "")")
        try await image.write(bytes, at: range.lowerBound)
    }

    private mutating func discard() async throws {
        let range = range(upTo: random.oneIn(3) ? 12 << 20 : 256 << 10)
        note("discard \(range)")
        try await image.discard(range)
    }

    private mutating func writeZeroes() async throws {
        let range = range(upTo: random.oneIn(3) ? 6 << 20 : 64 << 10)
        note("write zeroes \(range)")
        try await image.writeZeroes(range)
    }

    private mutating func writeSame() async throws {
        let pattern = data.bytes(512 << random.below(3))
        let start = UInt64(random.below(Int(size) / pattern.count - 1) * pattern.count)
        let count = 1 + random.below(min(256 << 10, Int(size - start)) / pattern.count)
        let range = start..<start + UInt64(count * pattern.count)
        note("write \(pattern.count) bytes again and again to \(range)")
        try await image.writeSame(pattern, over: range)
    }

    private mutating func compareAndWrite() async throws {
        let start = UInt64(random.below(Int(size) / 512) * 512)
        var expected = try await image.read(start..<start + 512)
        // One that comes to nothing marks its object as changed all the same, which a map of what has changed then says.
        let isMatch = !isJournaled || !random.oneIn(3)
        if !isMatch { expected[random.below(512)] ^= 1 }
        note("compare and write 512 bytes at \(start)\(isMatch ? "" : ", in vain")")
        guard try await image.compareAndWrite(expected, with: data.bytes(512), at: start) == isMatch else {
            throw ToolFailure(tool: "rbd_aio_compare_and_write", text: "it found the bytes at \(start) otherwise")
        }
    }

    /// Half of them in the first megabytes, so that they overlap; any byte may be an end. In not too many objects: each of them costs
    /// some operations on both sides.
    private mutating func range(upTo most: Int) -> Range<UInt64> {
        let limit = min(most, objectSize * 128)
        let space = random.oneIn(2) ? Int(min(size, 6 << 20)) : Int(size)
        let unit = random.oneIn(8) ? 1 : 512
        let count = 1 + random.below(max(min(limit, space) / unit, 1))
        let start = random.below(max(space / unit - count, 0) + 1)
        return UInt64(start * unit)..<UInt64(min((start + count) * unit, space))
    }

    // MARK: The image

    private mutating func resize() async throws {
        let mebibytes = 8 + UInt64(random.below(Int(Self.largest >> 20) - 7))
        size = min((mebibytes << 20) + (random.oneIn(3) ? UInt64(random.below(1 << 20)) : 0), Self.largest)
        note("resize to \(size)")
        try await image.resize(to: size, shrinking: true)
    }

    private mutating func rename() async throws {
        names += 1
        // Some names come back.
        let next = name.prefix { $0 != "~" } + (random.oneIn(3) ? "" : "~\(names)")
        guard next != name else { return }
        note("rename to \(next)")
        try await pool.renameImage(name, to: String(next))
        name = String(next)
    }

    private mutating func changeMetadata() async throws {
        let key = "key-\(random.below(6))"
        let isThere = try await image.metadata()[key] != nil
        if isThere, random.oneIn(3) {
            note("remove \(key)")
            try await image.removeMetadata(key)
        } else {
            note("set \(key)")
            try await image.setMetadata(key, to: "ümlaut \"\(random.next())\"\n")
        }
    }

    private mutating func changeFeatures() async throws {
        let info = try await image.info()
        if !info.features.contains(.exclusiveLock) {
            note("exclusive lock on")
            try await image.updateFeatures(.exclusiveLock, enabled: true)
        } else if !info.features.contains(.objectMap) {
            if !isJournaled, random.oneIn(3) {
                note("exclusive lock off")
                try await image.updateFeatures(.exclusiveLock, enabled: false)
            } else {
                note("object map on")
                hasOwnMaps = true
                try await image.updateFeatures([.objectMap, .fastDiff], enabled: true)
            }
        } else if info.flags.contains(.objectMapInvalid), !random.oneIn(3) {
            try await rebuildMaps()
        } else if info.features.contains(.deepFlatten), random.oneIn(4) {
            note("deep flatten off")
            try await image.updateFeatures(.deepFlatten, enabled: false)
        } else {
            note("object map off")
            try await image.updateFeatures([.objectMap, .fastDiff], enabled: false)
        }
    }

    private mutating func rebuildMaps() async throws {
        note("rebuild the object maps")
        try await image.rebuildObjectMap()
        for snapshot in try await image.snapshots() {
            try await pool.withImage(name, at: .snapshotID(snapshot.id), for: .readWrite) { try await $0.rebuildObjectMap() }
        }
    }

    private mutating func flatten() async throws {
        guard mayFlatten, record.count > 100 else { return }
        mayFlatten = false
        note("flatten")
        try await image.flatten()
    }

    // MARK: User snapshots

    private mutating func createSnapshot() async throws {
        guard snapshots.count < mostSnapshots else { return try await removeSnapshot() }
        names += 1
        // Now and then a name that one had before.
        let name = "s\(random.oneIn(3) ? random.below(3) + 1000 : names)"
        guard !snapshots.contains(where: { $0.name == name }) else { return }
        note("create \(name)")
        try await image.createSnapshot(name)
        snapshots.append(UserSnapshot(name: name))
    }

    private mutating func changeSnapshot() async throws {
        guard !snapshots.isEmpty else { return try await createSnapshot() }
        let number = random.below(snapshots.count)
        let snapshot = snapshots[number]
        switch random.below(6) {
        case 0: try await removeSnapshot()
        case 1, 2:
            snapshots[number].isProtected.toggle()
            note("\(snapshot.isProtected ? "unprotect" : "protect") \(snapshot.name)")
            if snapshot.isProtected {
                try await image.unprotectSnapshot(snapshot.name)
            } else {
                try await image.protectSnapshot(snapshot.name)
            }
        case 3: try await renameSnapshot(number)
        case 4:
            let limit: UInt64? = random.oneIn(2) ? nil : 100 + UInt64(random.below(100))
            note("snapshot limit \(limit.map { "\($0)" } ?? "none")")
            try await image.setSnapshotLimit(limit)
        default:
            guard mayRollBack else { return try await createSnapshot() }
            hasOwnMaps = true
            note("roll back to \(snapshot.name)")
            try await image.rollBack(toSnapshot: snapshot.name)
            size = try await image.size()
        }
    }

    private mutating func removeSnapshot() async throws {
        guard let number = snapshots.firstIndex(where: { !$0.isProtected }) else { return }
        let snapshot = snapshots.remove(at: number)
        note("remove \(snapshot.name)")
        try await image.removeSnapshot(snapshot.name)
    }

    /// To a new name, or in a circle with another one.
    private mutating func renameSnapshot(_ number: Int) async throws {
        let old = snapshots[number].name
        names += 1
        if let other = snapshots.indices.first(where: { $0 != number }), random.oneIn(2) {
            let passing = "passing-\(names)", otherName = snapshots[other].name
            note("swap the names of \(old) and \(otherName)")
            for (from, to) in [(old, passing), (otherName, old), (passing, otherName)] {
                try await image.renameSnapshot(from, to: to)
            }
            (snapshots[number].name, snapshots[other].name) = (otherName, old)
        } else {
            note("rename \(old) to r\(names)")
            try await image.renameSnapshot(old, to: "r\(names)")
            snapshots[number].name = "r\(names)"
        }
    }
}

/// Bytes that differ from call to call.
struct RandomData {
    private var random: SeededRandom
    private let block: [UInt8]

    init(_ random: SeededRandom) {
        var random = random
        block = (0..<(1 << 18)).flatMap { _ in withUnsafeBytes(of: random.next(), Array.init) }
        self.random = random
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        guard count < block.count else { return bytes(count / 2) + bytes(count - count / 2) }
        let start = random.below(block.count - count)
        return Array(block[start..<start + count])
    }
}

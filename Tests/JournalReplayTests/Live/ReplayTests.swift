import CephCore
import CephSandbox
@testable import JournalReplay
import RBDImage
import TestSupport
import Testing

/// What a journal tells is done to another image, judged by `rbd`.
@Suite(.serialized, .timeLimit(.minutes(20))) struct ReplayTests {
    /// A random life, replayed in parts of which some entries are repeated, as after a crash.
    @Test(arguments: 0..<Live.count) func aLife(_ seed: Int) async throws {
        var random = SeededRandom.forRun("replayed life \(seed)")
        let source = try await JournaledImage("life", objectSize: 64 << 10, width: 4)
        var life = JournaledLife(source, random)
        for _ in 0..<4 { try await life.go(40) }
        let replica = try await Replica(of: source)
        var entries: [JournalEntry] = []
        for try await entry in source.journal.entries() { entries.append(entry) }

        // Each part begins behind what the one before has committed: an operation that had not ended holds back what follows it.
        var committed = JournalCommitPosition()
        while committed.newest != entries.last?.position {
            let start = committed.newest.flatMap { last in entries.firstIndex { $0.position == last } }.map { $0 + 1 } ?? 0
            let part = entries[start..<min(start + 40 + random.below(100), entries.count)]
            committed = try await replica.replay(part, after: committed, isLast: part.endIndex == entries.count)
        }
        try await replica.compare(life.names, "\(life.record.suffix(80).joined(separator: "\n"))\n\(SeededRandom.hint) #\(seed)")
    }
}

extension ReplayTests {
    /// The primary could not make a snapshot: what was there before stays, and what was made for it goes.
    @Test func whatFailedAtThePrimary() async throws {
        let source = try await JournaledImage("failed")
        let replica = try await Replica(of: source)
        try await replica.image.addSnapshot("old", .user)
        let replayer = try await JournalReplayer(replica.image, after: .init(), source.journal.geometry)
        let events: [JournalEvent] = [
            .operation(id: 1, .snapshotCreate(.init("old"))), .operationFinish(.init(id: 1, result: -17)),
            .operation(id: 2, .snapshotCreate(.init("new"))), .operationFinish(.init(id: 2, result: -28)),
            .write(.init(offset: 0, data: [1, 2, 3])),
        ]
        for (number, event) in events.enumerated() {
            let payload = JournalRecord(event, at: .zero).encoded[...]
            let frame = JournalFrame(tag: 1, entry: UInt64(number), payload: payload)
            try await replayer.apply(try JournalEntry(.init(frame: frame, object: 0, offset: 0), in: source.journal))
        }
        try await replayer.flush()
        #expect(await replayer.committed.newest?.entry == 4)
        await replayer.close()
        #expect(try await replica.image.refresh().userSnapshots.map(\.name) == ["old"])
        await replica.image.close()
    }
}

/// A random life of an image with a journal: everything that is recorded.
private struct JournaledLife {
    let source: JournaledImage
    private(set) var record: [String] = []
    /// User snapshots.
    private(set) var names: [String] = []
    private var random: SeededRandom
    private var size: UInt64 = 32 << 20
    private var count = 0
    private var protected: Set<String> = []

    init(_ source: JournaledImage, _ random: SeededRandom) { (self.source, self.random) = (source, random) }

    /// Opens the image and does some things.
    mutating func go(_ steps: Int) async throws {
        let image = try await source.pool.openImage(source.name, for: .readWrite)
        for _ in 0..<steps {
            do { try await step(image) } catch {
                throw StockError(text: "\(record.last ?? ""): \(error)")
            }
        }
        try await image.flush()
        try await image.close()
    }

    private mutating func step(_ image: Image) async throws {
        switch random.below(20) {
        case 0..<8:
            let range = range(300_000)
            note("write \(range)")
            try await image.write([UInt8](repeating: UInt8(1 + random.below(255)), count: range.count), at: range.lowerBound)
        case 8..<11:
            let range = range(6 << 20)
            note("discard \(range)")
            try await image.discard(range)
        case 11..<13:
            let range = range(3 << 20)
            note("write zeroes \(range)")
            try await image.writeZeroes(range)
        case 13:
            size = UInt64(8 + random.below(40)) << 20
            note("resize to \(size)")
            try await image.resize(to: size, shrinking: true)
        case 14..<16:
            count += 1
            names.append("s\(count)")
            note("create s\(count)")
            try await image.createSnapshot("s\(count)")
        case 16: try await changeSnapshot(image)
        case 17:
            note("metadata")
            try await image.setMetadata("key-\(random.below(3))", to: "\(random.next())")
            if try await image.metadata()["key-0"] != nil { try await image.removeMetadata("key-0") }
        case 18:
            note("flush")
            try await image.flush()
        default:
            note("snapshot limit")
            try await image.setSnapshotLimit(random.oneIn(2) ? nil : 100)
        }
    }

    private mutating func changeSnapshot(_ image: Image) async throws {
        guard !names.isEmpty else { return }
        let index = random.below(names.count)
        let name = names[index]
        switch random.below(4) {
        case 0:
            count += 1
            note("rename \(name) to r\(count)")
            try await image.renameSnapshot(name, to: "r\(count)")
            names[index] = "r\(count)"
            if protected.remove(name) != nil { protected.insert("r\(count)") }
        case 1:
            note("protect or unprotect \(name)")
            if protected.remove(name) != nil { try await image.unprotectSnapshot(name) } else {
                protected.insert(name)
                try await image.protectSnapshot(name)
            }
        case 2:
            note("roll back to \(name)")
            try await image.rollBack(toSnapshot: name)
            size = try await image.size()
        default:
            guard !protected.contains(name) else { return }
            note("remove \(name)")
            names.remove(at: index)
            try await image.removeSnapshot(name)
        }
    }

    private mutating func note(_ what: String) { record.append(what) }

    private mutating func range(_ most: Int) -> Range<UInt64> {
        let start = UInt64(random.below(Int(size)))
        return start..<min(start + UInt64(1 + random.below(most)), size)
    }
}

/// An image that is filled from a journal.
private struct Replica {
    let source: JournaledImage
    let image: ReplicaImage
    let name: String

    init(of source: JournaledImage) async throws {
        self.source = source
        name = "\(source.name)-replica"
        let pool = source.pool
        let header = try await pool.imageHeader(source.journal.id)
        let id = ReplicaImage.newID(for: pool.cluster)
        try await ReplicaImage.create(id, ReplicaTemplate(
            name: name, size: 32 << 20, layout: header.layout, features: header.features.subtracting(.journaling)), in: pool)
        image = try await ReplicaImage.open(id, in: pool, ids: SnapshotIDs())
    }

    /// Returns how far it came.
    func replay(
        _ entries: ArraySlice<JournalEntry>, after committed: JournalCommitPosition, isLast: Bool
    ) async throws -> JournalCommitPosition {
        let replayer = try await JournalReplayer(image, after: committed, source.journal.geometry)
        var tag = entries.first?.position.tag
        for entry in entries {
            if entry.position.tag != tag { try await replayer.endTag() }
            tag = entry.position.tag
            try await replayer.apply(entry)
        }
        if isLast { try await replayer.endTag() } else { try await replayer.flush() }
        await replayer.close()
        return await replayer.committed
    }

    /// Where two points differ first, and which entries had to do with that.
    private func difference(at point: String?) async throws -> String {
        func bytes(_ name: String) async throws -> [UInt8] {
            try await source.pool.withImage(name, at: point.map { .snapshot($0) }) { try await $0.read(0..<(try await $0.size())) }
        }
        let (ours, theirs) = (try await bytes(name), try await bytes(source.name))
        guard let first = zip(ours, theirs).enumerated().first(where: { $1.0 != $1.1 }) else {
            return "in size: \(ours.count), \(theirs.count)"
        }
        var text = "from byte \(first.offset) on: \(first.element)"
        for try await entry in source.journal.entries() {
            let range: Range<UInt64>? = switch entry.event {
            case .write(let write): write.range
            case .discard(let discard): discard.range
            case .operation: 0..<UInt64.max
            default: nil
            }
            guard range?.contains(UInt64(first.offset)) == true else { continue }
            if case .write(let write) = entry.event {
                text += "\n\(entry.position.tag):\(entry.position.entry) write \(write.range) of \(write.data.first ?? 0)"
            } else {
                text += "\n\(entry.position.tag):\(entry.position.entry) \(entry.event)"
            }
        }
        return text
    }

    func compare(_ snapshots: [String], _ hint: @autoclosure () -> String) async throws {
        // librbd checks the maps of an ordinary image only.
        try await image.setFeatures([], mask: .nonPrimary)
        await image.close()
        let cluster = try await Live.sandbox()
        for point in [nil] + snapshots.map(Optional.init) {
            let (ours, theirs) = (try await cluster.checksum(name, at: point), try await cluster.checksum(source.name, at: point))
            if ours != theirs { Issue.record("\(point ?? "HEAD") differs \(try await difference(at: point))\n\(hint())") }
        }
        let (ours, theirs) = (try await image.refresh(), try await source.pool.imageHeader(source.journal.id))
        #expect(ours.userSnapshots.map(\.name) == theirs.userSnapshots.map(\.name))
        #expect(ours.userSnapshots.map(\.protection) == theirs.userSnapshots.map(\.protection))
        #expect(ours.size == theirs.size && ours.metadata == theirs.metadata && ours.snapshotLimit == theirs.snapshotLimit)
        for point in [nil] + ours.snapshots.map({ Optional($0.name) }) {
            let spec = "images/\(name)" + (point.map { "@\($0)" } ?? "")
            let check = try await cluster.output("rbd", ["object-map", "check", spec])
            // Discarding what is not there marks an object as changed, as librbd does it.
            let complaints = check.errorText.split(whereSeparator: \.isNewline).filter {
                $0.contains("error") && !$0.contains("marked as 1, but should be 3")
            }
            #expect(check.exit.isSuccess && complaints.isEmpty, "\(spec): \(complaints)\n\(hint())")
        }
    }
}

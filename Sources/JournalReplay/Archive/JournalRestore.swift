public import CephCore
public import RBDImage

/// Brings an image to a moment that an archive has: it is what the archived image was at a base, and gets what was done since.
///
/// The base is a snapshot that was made while the journal was archived: the image begins as a copy of it, made by `rbd cp`, a clone
/// that was flattened, or an imported backup.
public struct JournalRestore: Sendable {
    public let archive: JournalArchive

    public init(from archive: JournalArchive) { self.archive = archive }

    /// What an archive has.
    public struct Contents: Hashable, Sendable {
        public var identity: ArchiveIdentity?
        public var entries = 0
        public var first: JournalPosition?
        public var last: JournalPosition?
        /// By the primary's clock, of the first and last entries that have one.
        public var begin: CephTime?
        public var end: CephTime?
        /// Snapshots that were made meanwhile, in order: what can be a base.
        public var snapshots: [Snapshot] = []

        public struct Snapshot: Hashable, Sendable {
            public var name: String
            public var position: JournalPosition
            public var time: CephTime?
        }
    }

    /// Reads all of the archive.
    ///
    /// - Throws: ``JournalArchive/Failure`` where something is missing or damaged.
    public func contents() async throws -> Contents {
        var contents = Contents()
        var records = ArchiveRecords(archive: archive).makeAsyncIterator()
        while let record = try await records.next() {
            guard let entry = try entry(record) else { continue }
            contents.entries += 1
            contents.first = contents.first ?? entry.position
            contents.last = entry.position
            if let time = entry.timestamp, time != .zero { (contents.begin, contents.end) = (contents.begin ?? time, time) }
            if case .operation(_, .snapshotCreate(let snapshot)) = entry.event {
                contents.snapshots.append(.init(name: snapshot.name, position: entry.position, time: entry.timestamp))
            }
        }
        contents.identity = records.identity
        return contents
    }

    /// The last entry before the first one that was made after a moment, by the primary's clock: clocks that were set back make later
    /// entries look older, and these are not taken for it.
    ///
    /// - Returns: Nil when the archive begins later.
    public func cut(at time: CephTime) async throws -> JournalPosition? {
        var last: JournalPosition?
        for try await record in ArchiveRecords(archive: archive) {
            guard let entry = try entry(record) else { continue }
            if let made = entry.timestamp, made != .zero, made > time { return last }
            last = entry.position
        }
        return last
    }

    /// Applies to an image what was done after the base, up to and including the cut.
    ///
    /// Can be repeated after an interruption with an image that is a copy of the base again.
    /// - Parameters:
    ///   - id: The image's id. It must not be open, have a journal or be mirrored.
    ///   - base: The snapshot that the image is a copy of; nil when it is as the archived image was when the archive was begun.
    ///   - cut: Nil for all that there is.
    ///   - progress: Called now and then, on no thread in particular.
    /// - Throws: ``JournalArchive/Failure``: `gap` before anything behind a gap is applied, `missing` for a base or a cut that is not
    ///   there; `CephError`.
    /// - Returns: What was applied.
    public func apply(
        to id: String, in pool: Pool, base: String?, upTo cut: JournalPosition?,
        progress: (@Sendable (JournalToolProgress) -> Void)? = nil
    ) async throws -> JournalToolProgress {
        let start = try await start(base, cut)
        let image = try await ReplicaImage.open(id, in: pool, ids: SnapshotIDs())
        do {
            let header = await image.header
            guard header.features.isDisjoint(with: [.journaling, .nonPrimary]), header.mirrorSnapshots.isEmpty else {
                throw JournalArchive.Failure(.otherImage, "image \(id) is mirrored or has a journal: restore into one that has neither")
            }
            let done = try await apply(to: image, after: start, upTo: cut, progress)
            await image.close()
            return done
        } catch {
            await image.close()
            throw error
        }
    }

    /// The entry that the base was made by: the last one before the cut.
    private func start(_ base: String?, _ cut: JournalPosition?) async throws -> JournalPosition? {
        let contents = try await contents()
        guard let last = contents.last else { throw JournalArchive.Failure(.missing, "the archive \(archive.path) has no entries") }
        if let cut, last.precedes(cut) {
            throw JournalArchive.Failure(.missing, """
                the archive ends at tag \(last.tag), entry \(last.entry), before tag \(cut.tag), entry \(cut.entry)
                """)
        }
        guard let base else { return nil }
        let made = contents.snapshots.last { snapshot in snapshot.name == base && cut.map { !$0.precedes(snapshot.position) } ?? true }
        guard let made else {
            throw JournalArchive.Failure(.missing, "the archive does not have the making of snapshot \(base) before the cut")
        }
        return made.position
    }

    private func apply(
        to image: ReplicaImage, after start: JournalPosition?, upTo cut: JournalPosition?,
        _ progress: (@Sendable (JournalToolProgress) -> Void)?
    ) async throws -> JournalToolProgress {
        let replayer = try await JournalReplayer(image, after: .init(), JournalGeometry())
        var done = JournalToolProgress(entries: 0, bytes: 0)
        var tag: UInt64?
        for try await record in ArchiveRecords(archive: archive) {
            guard let entry = try entry(record) else { continue }
            if let cut, cut.precedes(entry.position) { break }
            if let start, !start.precedes(entry.position) { continue }
            if let tag, tag != entry.position.tag { try await replayer.endTag() }
            tag = entry.position.tag
            try await replayer.apply(entry)
            done.entries += 1
            done.bytes += UInt64(entry.payload.count)
            if done.entries % 1000 == 0 { progress?(done) }
        }
        try await replayer.flush()
        await replayer.close()
        progress?(done)
        return done
    }

    /// Nil for what is no entry.
    private func entry(_ record: ArchiveRecord) throws -> JournalEntry? {
        guard case .entry(let position, let payload) = record else { return nil }
        do throws(WireError) { return try JournalEntry(position, at: 0, payload) } catch {
            throw JournalArchive.Failure(.damaged, "\(archive.path): tag \(position.tag), entry \(position.entry): \(error)")
        }
    }
}

internal import CephCore
internal import RBDImage

/// Why a record is not imported.
struct JournalImportRefusal: Error {
    let reason: String
}

/// Writes entries to a journal that nobody else writes to.
final class JournalAppender {
    private let journal: Journal
    private let tagClass: UInt64
    /// Those that the image has.
    private let snapshots: Set<UInt64>
    private var predecessor: JournalEpoch.Predecessor
    private var activeSet: UInt64
    private var tag: UInt64 = 0
    private var nextEntry: UInt64 = 0
    /// What is to be appended to the object of each lane.
    private var gathered: [[UInt8]]
    private var count = 0

    /// Bytes that are appended at a time, to all lanes together.
    private static let portion = 256 << 10

    init(_ journal: Journal) async throws {
        self.journal = journal
        let header = try await journal.header()
        let image = header.client(JournalClient.imageID)
        guard case .image(let role)? = try image?.role() else {
            throw CephError(code: 2, operation: "read the image's journal client", subject: journal.headerObject)
        }
        tagClass = role.tagClass
        snapshots = Set(try await journal.pool.imageHeader(journal.id).snapshots.map(\.id))
        let newest = image?.committed.newest
        predecessor = .init(.local, isCommitted: newest != nil, tag: newest?.tag ?? 0, entry: newest?.entry ?? 0)
        activeSet = header.activeSet
        gathered = Array(repeating: [], count: Int(journal.geometry.splayWidth))
    }

    func check(_ record: JournalFile.Record) throws(JournalImportRefusal) {
        let event: JournalEvent
        do throws(WireError) { event = try JournalRecord(payload: record.payload[...]).event } catch {
            throw JournalImportRefusal(reason: "its event cannot be read: \(error)")
        }
        if case .operation(_, .snapshotRename(let rename)) = event, !snapshots.contains(rename.id) {
            throw JournalImportRefusal(reason: """
                it renames snapshot \(rename.from) to \(rename.to), but librbd would look for it by its id in the image that was exported \
                (\(rename.id)): rename it by hand
                """)
        }
        let most = journal.geometry.objectSize - UInt64(JournalFrame.overhead)
        guard record.payload.count <= most else {
            throw JournalImportRefusal(reason: "its event takes \(record.payload.count) bytes, and an object of this journal \(most)")
        }
    }

    /// Begins a tag and returns it.
    func beginTag() async throws -> UInt64 {
        try await flush()
        let made = try await journal.createTag(JournalEpoch(.local, after: predecessor), tagClass: tagClass)
        (tag, nextEntry) = (made.id, 0)
        return tag
    }

    func append(_ payload: [UInt8]) async throws {
        let frame = JournalFrame(tag: tag, entry: nextEntry, payload: payload[...]).encoded
        let lane = Int(journal.geometry.lane(ofEntry: nextEntry))
        // One append may go over the end of an object, but not a second one.
        if gathered[lane].count + frame.count > journal.geometry.objectSize { try await flush() }
        gathered[lane] += frame
        count += frame.count
        predecessor = .init(.local, isCommitted: true, tag: tag, entry: nextEntry)
        nextEntry += 1
        if count >= Self.portion { try await flush() }
    }

    /// Appends what was gathered; an object that is full ends its set.
    func flush() async throws {
        while count > 0 {
            let full = try await appendToLanes()
            guard !full.isEmpty else { break }
            activeSet += 1
            do throws(CephError) { try await journal.change(JournalMethod.setActiveSet(activeSet)) } catch {
                throw JournalToolError(.imageInUse, "somebody else writes to journal \(journal.id): \(error)")
            }
        }
        count = 0
    }

    /// Returns the lanes whose object is full.
    private func appendToLanes() async throws -> [Int] {
        let (journal, first) = (journal, activeSet * journal.geometry.width)
        let full = try await withThrowingTaskGroup(of: Int?.self, returning: [Int].self) { group in
            for (lane, bytes) in gathered.enumerated() where !bytes.isEmpty {
                group.addTask {
                    var operation = WriteOperation()
                    operation.call(JournalMethod.append(bytes, limit: journal.geometry.objectSize))
                    do throws(CephError) {
                        try await journal.dataPool.apply(operation, to: journal.dataObject(first + UInt64(lane)))
                        return nil
                    } catch {
                        guard error.code == Self.isFull else { throw error }
                        return lane
                    }
                }
            }
            return try await group.reduce(into: []) { full, lane in if let lane { full.append(lane) } }
        }
        for lane in gathered.indices where !full.contains(lane) { gathered[lane] = [] }
        return full
    }

    private static let isFull: Int32 = 75
}

extension Journal {
    /// - Throws: ``JournalToolError`` when somebody has the image open, or it has entries of its own to apply.
    func refuseIfInUse() async throws {
        try await refuseIfUsed()
        try await refuseIfBehind()
    }

    /// For what needs the image closed.
    ///
    /// - Throws: ``JournalToolError`` `imageInUse` when somebody has it open.
    public func refuseIfUsed() async throws {
        guard let somebody = try await users().first else { return }
        throw JournalToolError(.imageInUse, "image \(pool.spec)/\(id) is open at client.\(somebody): close it first")
    }

    /// Who holds the image's lock or watches its header.
    private func users() async throws(CephError) -> [UInt64] {
        let header = ObjectNames.header(id)
        let holders = try await pool.lockInfo(of: header, name: ImageLock.name).lockers.map(\.client)
        return Pool.usesNative ? holders + (try await pool.watchers(of: header).map(\.client)) : holders
    }

    private func refuseIfBehind() async throws {
        let own = try await client(JournalClient.imageID).committed
        for try await entry in entries(after: own) {
            throw JournalToolError(
                .notApplied, """
                    journal \(id) has entries that its image has yet to apply, from tag \(entry.position.tag), \
                    entry \(entry.position.entry) on: open the image for writing once, or reset the journal
                    """)
        }
    }
}

internal import CephCore
internal import Glibc

/// Adds records to an archive, behind what it has; kept by whoever began it alone.
struct ArchiveWriter {
    private let archive: JournalArchive
    private let identity: ArchiveIdentity
    private let segmentSize: UInt64
    private var file: ArchiveFile
    private var number: Int
    private var written: UInt64 = 0
    private var tag: UInt64?
    /// The last entry that is there.
    private(set) var last: JournalPosition?
    private let memory = BufferBox()
    private var count = 0
    /// Held as long as it is written to.
    private let lock: ArchiveFile

    /// Makes the folder if it is not there, and cuts off what a crash has torn.
    init(_ archive: JournalArchive, _ identity: ArchiveIdentity, segmentSize: UInt64) async throws {
        (self.archive, self.identity, self.segmentSize) = (archive, identity, segmentSize)
        if mkdir(archive.path, 0o700) != 0, errno != EEXIST { throw CephError(code: errno, operation: "mkdir", subject: archive.path) }
        lock = try ArchiveFile("\(archive.path)/lock", O_RDWR | O_CREAT)
        guard flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw JournalArchive.Failure(.inUse, "another process writes to the archive \(archive.path)")
        }
        var records = ArchiveRecords(archive: archive, identity: identity).makeAsyncIterator()
        while try await records.next() != nil {}
        last = records.order.last
        let segments = try archive.segments()
        if let torn = segments.last, torn == records.end.segment {
            let cut = try ArchiveFile(archive.file(torn), O_RDWR)
            guard ftruncate(cut.descriptor, off_t(records.end.offset)) == 0, fsync(cut.descriptor) == 0 else {
                throw CephError(code: errno, operation: "ftruncate", subject: cut.path)
            }
        }
        number = (segments.last ?? -1) + 1
        file = try Self.begin(archive, number)
        gather(identity.encoded)
    }

    private static func begin(_ archive: JournalArchive, _ number: Int) throws(CephError) -> ArchiveFile {
        try ArchiveFile(archive.file(number), O_WRONLY | O_CREAT | O_EXCL)
    }

    /// Whether an entry is of another tag than the last one.
    func needsTag(_ position: JournalPosition) -> Bool { position.tag != tag }

    mutating func add(_ tag: JournalTag) async throws {
        try await write(ArchiveRecord.tag(tag).encoded)
        self.tag = tag.id
    }

    mutating func add(_ entry: JournalEntry) async throws {
        try await write(ArchiveRecord.entry(entry.position, payload: entry.payload).encoded)
        last = entry.position
    }

    /// Has all that was added on stable storage; begins another segment where this one is large enough.
    mutating func synchronize() async throws {
        try await flush()
        try await DescriptorStream(file.descriptor).synchronize()
        // The file's name, too.
        let folder = try ArchiveFile(archive.path, O_RDONLY | O_DIRECTORY)
        try await DescriptorStream(folder.descriptor).synchronize()
        guard written >= segmentSize else { return }
        number += 1
        (file, written, tag) = (try Self.begin(archive, number), 0, nil)
        gather(identity.encoded)
    }

    private mutating func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            if count == memory.buffer.capacity { try await flush() }
            rest = rest.dropFirst(gather(rest.prefix(memory.buffer.capacity - count)))
        }
    }

    @discardableResult
    private mutating func gather(_ bytes: some Collection<UInt8>) -> Int {
        memory.buffer.withBytes { UnsafeMutableRawBufferPointer(rebasing: $0[count...]).copyBytes(from: bytes) }
        count += bytes.count
        return bytes.count
    }

    private mutating func flush() async throws {
        if count > 0 { try await DescriptorStream(file.descriptor).write(memory.buffer, 0..<count) }
        written += UInt64(count)
        count = 0
    }
}

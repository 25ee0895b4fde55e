internal import CephCore
internal import Glibc

/// A folder with the entries of one image's journal, in segments: `00000000.journal` and so on.
///
/// It is written by one process at a time; a segment that a crash has torn is cut where it is whole.
public struct JournalArchive: Sendable {
    public let path: String

    public init(at path: String) { self.path = path }

    /// Why an archive cannot be used.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// An open set: keep a default branch.
        public struct Code: Hashable, Sendable {
            private let name: String
            private init(_ name: String) { self.name = name }
            /// Entries are missing.
            public static let gap = Code("gap")
            public static let damaged = Code("damaged")
            /// It is the archive of another image.
            public static let otherImage = Code("otherImage")
            /// It does not have what was asked for.
            public static let missing = Code("missing")
            /// Somebody else writes to it.
            public static let inUse = Code("inUse")
        }

        public let code: Code
        public let description: String

        init(_ code: Code, _ description: String) { (self.code, self.description) = (code, description) }
    }

    /// The numbers of the segments, ascending.
    func segments() throws(CephError) -> [Int] {
        guard let folder = opendir(path) else { throw CephError(code: errno, operation: "opendir", subject: path) }
        defer { closedir(folder) }
        var numbers: [Int] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard name.hasSuffix(Self.suffix), let number = Int(name.dropLast(Self.suffix.count)), name == Self.name(number) else { continue }
            numbers.append(number)
        }
        return numbers.sorted()
    }

    private static let suffix = ".journal"

    private static func name(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + suffix
    }

    func file(_ number: Int) -> String { "\(path)/\(Self.name(number))" }
}

/// A file that is closed with its last reference.
final class ArchiveFile: Sendable {
    let descriptor: Int32
    let path: String

    init(_ path: String, _ flags: Int32) throws(CephError) {
        // Its content is what somebody has on a disk.
        descriptor = open(path, flags | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else { throw CephError(code: errno, operation: "open", subject: path) }
    }

    deinit { close(descriptor) }
}

/// The records of an archive in their order, checked for gaps.
struct ArchiveRecords: AsyncSequence {
    typealias Element = ArchiveRecord
    let archive: JournalArchive
    /// The archive's image must be this one; nil for whichever it is.
    var identity: ArchiveIdentity?

    func makeAsyncIterator() -> Iterator { Iterator(archive: archive, identity: identity) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let archive: JournalArchive
        fileprivate(set) var identity: ArchiveIdentity?
        private var segments: [Int]?
        private var file: ArchiveFile?
        private var scanner = ArchiveScanner()
        /// The segment before.
        private var before: Int?
        private(set) var order = ArchiveOrder()
        private let buffer = BufferBox()

        fileprivate init(archive: JournalArchive, identity: ArchiveIdentity?) { (self.archive, self.identity) = (archive, identity) }

        /// Where the last segment is whole up to.
        private(set) var end: (segment: Int, offset: UInt64) = (0, 0)

        mutating func next() async throws -> ArchiveRecord? {
            if segments == nil { segments = try archive.segments() }
            while true {
                guard let file = try openNext() else { return nil }
                switch scanner.next() {
                case .identity(let found):
                    if let identity, identity != found { throw JournalArchive.Failure(.otherImage, "\(file.path) is of image \(found.image)") }
                    identity = found
                    end.offset = scanner.offset
                case .record(let record):
                    do throws(ArchiveOrder.Gap) { try order.add(record) } catch {
                        throw JournalArchive.Failure(.gap, "\(file.path): entries are missing: \(error)")
                    }
                    end.offset = scanner.offset
                    return record
                case .damaged(let why): throw JournalArchive.Failure(.damaged, "\(file.path), byte \(scanner.offset): \(why)")
                case .needsMore: try await readOn(file)
                }
            }
        }

        private mutating func openNext() throws -> ArchiveFile? {
            if let file { return file }
            guard let number = segments?.first else { return nil }
            segments!.removeFirst()
            if let before, number != before + 1 {
                throw JournalArchive.Failure(.gap, "\(archive.path): segments are missing between \(before) and \(number)")
            }
            before = number
            file = try ArchiveFile(archive.file(number), O_RDONLY)
            (scanner, end) = (ArchiveScanner(), (number, 0))
            return file
        }

        private mutating func readOn(_ open: ArchiveFile) async throws {
            let count = try await DescriptorStream(open.descriptor).read(into: buffer.buffer, 0..<buffer.buffer.capacity)
            if count > 0 { return scanner.add(buffer.buffer.withBytes { Array($0[..<count]) }) }
            // Only the last one may have been torn.
            if !scanner.isAtEnd, segments?.isEmpty == false {
                throw JournalArchive.Failure(.damaged, "\(open.path) ends in the middle of a record, and is not the last segment")
            }
            file = nil
            scanner = ArchiveScanner()
        }
    }
}

/// An iterator is copied, a buffer is not.
final class BufferBox {
    let buffer = IOBuffer(capacity: 1 << 20)
}

internal import CephCore

/// What a segment of an archive says first: which journal it is of.
///
///     "CEPHJARC", u32 length, frame of the fields, crc32c u32 of all that
public struct ArchiveIdentity: Hashable, Sendable {
    /// Of the cluster.
    public var fsid: String
    public var pool: Int64
    public var namespace: String
    /// Of the journal, and of its image.
    public var image: String

    public init(fsid: String, pool: Int64, namespace: String, image: String) {
        (self.fsid, self.pool, self.namespace, self.image) = (fsid, pool, namespace, image)
    }

    static let magic = Array("CEPHJARC".utf8)
    /// Before the fields.
    static let prefixLength = 12
    static let longest = 1 << 16

    var encoded: [UInt8] {
        let fields = Encoder.encode { encoder in
            encoder.frame(version: 1, compat: 1) {
                $0.string(fsid)
                $0.i64(pool)
                $0.string(namespace)
                $0.string(image)
            }
        }
        return ArchiveRecord.sealed { $0.raw(Self.magic); $0.blob(fields) }
    }

    /// - Parameter fields: What lies between the prefix and the checksum.
    init(fields: ArraySlice<UInt8>) throws(WireError) {
        self = try Decoder.decode(fields, as: "archive segment") { (d) throws(WireError) in
            try d.frame(supported: 1) { (d, _) throws(WireError) in
                ArchiveIdentity(fsid: try d.string(), pool: try d.i64(), namespace: try d.string(), image: try d.string())
            }
        }
    }
}

/// A part of an archive: in the order of the journal.
///
///     u8 kind, u32 length, body, crc32c u32 of all that
enum ArchiveRecord: Hashable, Sendable {
    /// A tag, before the first of its entries.
    case tag(JournalTag)
    case entry(JournalPosition, payload: ArraySlice<UInt8>)

    static let headLength = 5
    static let longest = JournalFileParser.longest

    var encoded: [UInt8] {
        switch self {
        case .tag(let tag): Self.sealed { $0.u8(1); $0.blob(Encoder.encode { tag.encode(into: &$0) }) }
        case .entry(let position, let payload):
            Self.sealed { encoder in
                encoder.u8(2)
                encoder.count(24 + payload.count)
                encoder.u64(position.object)
                encoder.u64(position.tag)
                encoder.u64(position.entry)
                encoder.raw(payload)
            }
        }
    }

    init(kind: UInt8, body: ArraySlice<UInt8>) throws(WireError) {
        self = try Decoder.decode(body, as: "archive record") { (d) throws(WireError) in
            switch kind {
            case 1: return .tag(try JournalTag(from: &d))
            case 2:
                let position = JournalPosition(object: try d.u64(), tag: try d.u64(), entry: try d.u64())
                return .entry(position, payload: try d.raw(d.remaining))
            default: throw d.failure(.invalidValue)
            }
        }
    }

    fileprivate static func sealed(_ body: (inout Encoder) -> Void) -> [UInt8] {
        var encoder = Encoder()
        body(&encoder)
        encoder.u32(encoder.bytes.withUnsafeBytes { CRC32C.checksum($0, seed: 0) })
        return encoder.bytes
    }
}

/// Takes what a segment holds out of its bytes as they come. Pure.
struct ArchiveScanner {
    enum Step: Hashable {
        case identity(ArchiveIdentity)
        case record(ArchiveRecord)
        /// What is there is whole, or the beginning of what is to come.
        case needsMore
        case damaged(String)
    }

    private var bytes: [UInt8] = []
    private var index = 0
    private var hasIdentity = false
    /// Bytes of the segment up to the end of what was taken out.
    private(set) var offset: UInt64 = 0

    mutating func add(_ more: some Collection<UInt8>) {
        bytes.removeFirst(index)
        index = 0
        bytes += more
    }

    /// Whether nothing is left.
    var isAtEnd: Bool { index == bytes.count }

    mutating func next() -> Step { hasIdentity ? record() : identity() }

    private mutating func identity() -> Step {
        let head = bytes[index...].prefix(ArchiveIdentity.prefixLength)
        guard head.prefix(8).elementsEqual(ArchiveIdentity.magic.prefix(head.count)) else { return .damaged("it is no segment of an archive") }
        guard head.count == ArchiveIdentity.prefixLength else { return .needsMore }
        switch take(head.count, length: Self.number(head.suffix(4)), most: ArchiveIdentity.longest) {
        case .failure(let step): return step.step
        case .success(let fields):
            do throws(WireError) {
                defer { hasIdentity = true }
                return .identity(try ArchiveIdentity(fields: fields))
            } catch { return .damaged("\(error)") }
        }
    }

    private mutating func record() -> Step {
        let head = bytes[index...].prefix(ArchiveRecord.headLength)
        guard head.count == ArchiveRecord.headLength else { return .needsMore }
        switch take(head.count, length: Self.number(head.suffix(4)), most: ArchiveRecord.longest) {
        case .failure(let step): return step.step
        case .success(let body):
            do throws(WireError) { return .record(try ArchiveRecord(kind: head.first!, body: body)) } catch { return .damaged("\(error)") }
        }
    }

    private struct Refusal: Error { let step: Step }

    /// The body behind a head of so many bytes, if its checksum is right.
    private mutating func take(_ head: Int, length: Int, most: Int) -> Result<ArraySlice<UInt8>, Refusal> {
        guard length <= most else { return .failure(.init(step: .damaged("a part of it claims to have \(length) bytes"))) }
        let end = index + head + length
        guard end + 4 <= bytes.count else { return .failure(.init(step: .needsMore)) }
        let sum = bytes.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[index..<end]), seed: 0) }
        guard Int(sum) == Self.number(bytes[end..<end + 4]) else { return .failure(.init(step: .damaged("a checksum does not match"))) }
        let body = bytes[index + head..<end]
        offset += UInt64(end + 4 - index)
        index = end + 4
        return .success(body)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }
}

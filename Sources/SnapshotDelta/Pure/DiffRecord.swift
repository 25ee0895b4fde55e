internal import CephCore

/// A version of the stream of `rbd export-diff`.
public struct DiffFormat: Hashable, Sendable, CustomStringConvertible {
    let number: UInt8
    /// What `rbd export-diff` writes and `rbd import-diff` takes.
    public static let v1 = DiffFormat(number: 1)
    /// Each record tells its length. It occurs within `rbd export --export-format 2`.
    public static let v2 = DiffFormat(number: 2)

    /// What a stream begins with.
    var banner: [UInt8] { Array("rbd diff v\(number)\n".utf8) }
    static let bannerLength = 12

    public var description: String { "v\(number)" }
}

/// What a stream says of itself before its data.
public struct DiffHeader: Hashable, Sendable {
    public var format: DiffFormat
    /// The snapshot that the data is to be put upon; nil for the beginning of time.
    public var start: String?
    /// The snapshot that comes out; nil when the newer point was HEAD.
    public var end: String?
    /// Bytes of the image at the newer point; nil where the stream does not tell.
    public var size: UInt64?
    /// Whether ``end`` is protected; only v2 tells.
    public var isEndProtected: Bool

    public init(
        format: DiffFormat = .v1, start: String? = nil, end: String? = nil, size: UInt64? = nil, isEndProtected: Bool = false
    ) {
        self.format = format
        self.start = start
        self.end = end
        self.size = size
        self.isEndProtected = isEndProtected
    }
}

/// One record of a stream, without the bytes of data.
enum DiffRecord: Hashable, Sendable {
    case start(String)
    case end(String)
    case size(UInt64)
    case protection(Bool)
    /// So many bytes follow the record.
    case data(Range<UInt64>)
    case zeroes(Range<UInt64>)
    /// Of a kind that this version does not know; so many bytes follow that mean nothing.
    case unknown(UInt64)
    case finish

    /// Bytes that follow the record.
    var trailing: UInt64 {
        switch self {
        case .data(let range): range.upperBound - range.lowerBound
        case .unknown(let length): length
        default: 0
        }
    }

    var isAboutImage: Bool {
        switch self {
        case .start, .end, .size, .protection: true
        default: false
        }
    }

    /// Bytes of a name, at most; as in `rbd import-diff`.
    static let longestName = 4096
    /// Bytes of a record without what follows it, at most.
    static let longest = 1 + 8 + 4 + longestName
}

extension DiffRecord {
    /// Reads the record that some bytes begin with.
    ///
    /// - Returns: The record and how many bytes it takes; nil when there are too few.
    /// - Throws: `WireError` with the offset within these bytes.
    static func decode(_ bytes: [UInt8], _ format: DiffFormat) throws(WireError) -> (record: DiffRecord, length: Int)? {
        var decoder = Decoder(bytes)
        do throws(WireError) {
            let record = try DiffRecord(from: &decoder, format)
            return (record, decoder.offset)
        } catch {
            guard error.reason == .truncated else { throw error }
            return nil
        }
    }

    private init(from decoder: inout Decoder, _ format: DiffFormat) throws(WireError) {
        let tag = UnicodeScalar(try decoder.u8())
        if tag == "e" {
            self = .finish
            return
        }
        let start = decoder.offset
        let length = format == .v2 ? try decoder.u64() : nil
        let needed: UInt64
        switch tag {
        case "f", "t":
            let name = try decoder.diffName()
            self = tag == "f" ? .start(name) : .end(name)
            needed = 4 + UInt64(name.utf8.count)
        case "s":
            self = .size(try decoder.diffSize())
            needed = 8
        case "p" where format == .v2:
            self = .protection(try decoder.bool())
            // It is one byte; older releases say 8.
            needed = length == 8 ? 8 : 1
        case "w":
            self = .data(try decoder.diffRange())
            needed = 16 + trailing
        case "z":
            self = .zeroes(try decoder.diffRange())
            needed = 16
        default:
            // Without a length nobody knows where the next record begins.
            guard let length else { throw WireError(.invalidValue, at: start - 1) }
            self = .unknown(length)
            return
        }
        guard length == nil || length == needed else { throw WireError(.invalidValue, at: start) }
    }

    /// The record's bytes, without what follows it.
    func encode(into encoder: inout Encoder, _ format: DiffFormat) {
        func begin(_ tag: UnicodeScalar, _ length: UInt64) {
            encoder.u8(UInt8(tag.value))
            if format == .v2 { encoder.u64(length) }
        }
        switch self {
        case .start(let name), .end(let name):
            if case .start = self { begin("f", 4 + UInt64(name.utf8.count)) } else { begin("t", 4 + UInt64(name.utf8.count)) }
            encoder.string(name)
        case .size(let size):
            begin("s", 8)
            encoder.u64(size)
        case .protection(let isProtected):
            begin("p", 1)
            encoder.bool(isProtected)
        case .data(let range), .zeroes(let range):
            if case .data = self { begin("w", 16 + trailing) } else { begin("z", 16) }
            encoder.u64(range.lowerBound)
            encoder.u64(range.upperBound - range.lowerBound)
        case .unknown: preconditionFailure("a record of an unknown kind cannot be written")
        case .finish: encoder.u8(UInt8(ascii: "e"))
        }
    }
}

extension Decoder {
    fileprivate mutating func diffName() throws(WireError) -> String {
        let start = offset
        let length = Int(try u32())
        guard (1...DiffRecord.longestName).contains(length) else { throw WireError(.invalidValue, at: start) }
        guard let name = String(validating: try raw(length), as: UTF8.self) else { throw WireError(.invalidText, at: start + 4) }
        return name
    }

    /// Beyond this nothing can be addressed.
    private static let largest = UInt64(Int64.max)

    fileprivate mutating func diffSize() throws(WireError) -> UInt64 {
        let start = offset
        let size = try u64()
        guard size <= Self.largest else { throw WireError(.invalidValue, at: start) }
        return size
    }

    fileprivate mutating func diffRange() throws(WireError) -> Range<UInt64> {
        let start = offset
        let (lower, length) = (try u64(), try u64())
        guard lower <= Self.largest, length <= Self.largest - lower else { throw WireError(.invalidValue, at: start) }
        return lower..<lower + length
    }
}

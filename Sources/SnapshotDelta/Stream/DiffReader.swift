public import CephCore

/// Reads a stream of `rbd export-diff`.
///
///     let reader = DiffReader(DescriptorStream(0))
///     let header = try await reader.header()
///     while let change = try await reader.next() { print(change.range, change.isHole) }
///
/// A stream that is damaged or ends early is a `WireError` with the offset; nothing in it makes the reader take more than a fixed amount
/// of memory. After an error nothing more can be read.
public final class DiffReader<Input: ByteInput> {
    private let input: Input
    private let window = IOBuffer(capacity: 64 << 10)
    /// The part of the window that has not been taken yet.
    private var unread = 0..<0
    /// Bytes of the stream taken so far.
    public private(set) var position: UInt64 = 0
    private var format = DiffFormat.v1
    private var pending: DiffRecord?
    /// Bytes of the change that ``next()`` returned last which have not been taken.
    private var trailing: UInt64 = 0

    public init(_ input: Input) { self.input = input }

    /// Reads what the stream says of itself, up to its data.
    ///
    /// Where several streams follow each other, as in `rbd export --export-format 2`, this begins the next one once ``next()`` has
    /// returned nil.
    /// - Throws: `WireError` with the reason `notADiff` for other bytes.
    public func header() async throws -> DiffHeader {
        format = try await banner()
        var header = DiffHeader(format: format)
        while pending == nil {
            switch try await record() {
            case .start(let name): header.start = name
            case .end(let name): header.end = name
            case .size(let size): header.size = size
            case .protection(let isProtected): header.isEndProtected = isProtected
            case .unknown(let length): try await skip(length)
            case let first: pending = first
            }
        }
        return header
    }

    /// The next change; nil after the last.
    ///
    /// The data of a change that is not a hole is to be had with ``read(into:_:)`` until the next call, which passes over the rest.
    public func next() async throws -> SnapshotDelta.Extent? {
        try await skip(trailing)
        while true {
            let place = position
            let record: DiffRecord
            if let pending { record = pending } else { record = try await self.record() }
            pending = nil
            switch record {
            case .finish: return nil
            case .data(let range):
                trailing = record.trailing
                return .init(range: range, isHole: false)
            case .zeroes(let range): return .init(range: range, isHole: true)
            case .unknown(let length): try await skip(length)
            default: throw WireError(.invalidValue, at: Int(clamping: place), in: "diff stream")
            }
        }
    }

    /// Reads the next bytes of the present change's data, exactly as many as the range has.
    public func read(into buffer: borrowing IOBuffer, _ range: Range<Int>) async throws {
        precondition(UInt64(range.count) <= trailing, "more bytes than the change has")
        trailing -= UInt64(range.count)
        position += UInt64(range.count)
        let kept = unread.prefix(range.count)
        window.withBytes { from in
            buffer.withBytes { to in
                UnsafeMutableRawBufferPointer(rebasing: to[range]).copyMemory(from: UnsafeRawBufferPointer(rebasing: from[kept]))
            }
        }
        unread = kept.upperBound..<unread.upperBound
        var rest = range.lowerBound + kept.count..<range.upperBound
        while !rest.isEmpty {
            let count = try await input.read(into: buffer, rest)
            guard count > 0 else { throw failure(.truncated) }
            rest = rest.lowerBound + count..<rest.upperBound
        }
    }

    private func banner() async throws -> DiffFormat {
        let bytes = try await peek(DiffFormat.bannerLength)
        guard let format = [DiffFormat.v1, .v2].first(where: { $0.banner == bytes }) else {
            let isPart = [DiffFormat.v1, .v2].contains { $0.banner.starts(with: bytes) }
            throw failure(isPart ? .truncated : .notADiff)
        }
        take(bytes.count)
        return format
    }

    /// Reads no more than it needs: behind the stream's end there may be nothing for a long time.
    private func record() async throws -> DiffRecord {
        while true {
            // Most records are short.
            for length in [25, DiffRecord.longest] {
                let bytes = window.withBytes { Array($0[unread.prefix(length)]) }
                if let found = try decoded(bytes) {
                    take(found.length)
                    return found.record
                }
            }
            let before = unread.count
            try await fill()
            guard unread.count > before else { throw failure(.truncated) }
        }
    }

    private func decoded(_ bytes: [UInt8]) throws(WireError) -> (record: DiffRecord, length: Int)? {
        do throws(WireError) { return try DiffRecord.decode(bytes, format) } catch {
            throw WireError(error.reason, at: Int(clamping: position) + error.offset, in: "diff stream")
        }
    }

    private func skip(_ length: UInt64) async throws {
        var rest = length
        while rest > 0 {
            if unread.isEmpty { try await fill() }
            guard !unread.isEmpty else { throw failure(.truncated) }
            let count = Int(min(rest, UInt64(unread.count)))
            take(count)
            rest -= UInt64(count)
        }
        trailing = 0
    }

    /// The next bytes, which stay; fewer at the stream's end.
    private func peek(_ count: Int) async throws -> [UInt8] {
        while unread.count < count {
            let before = unread.count
            try await fill()
            if unread.count == before { break }
        }
        return window.withBytes { Array($0[unread.prefix(count)]) }
    }

    private func take(_ count: Int) {
        unread = unread.lowerBound + count..<unread.upperBound
        position += UInt64(count)
    }

    /// Reads once into the window behind what is in it.
    private func fill() async throws {
        if unread.isEmpty { unread = 0..<0 }
        if unread.upperBound == window.capacity || unread.lowerBound > window.capacity / 2 {
            window.withBytes { UnsafeMutableRawBufferPointer(rebasing: $0[0..<unread.count]).copyMemory(from: .init(rebasing: $0[unread])) }
            unread = 0..<unread.count
        }
        let count = try await input.read(into: window, unread.upperBound..<window.capacity)
        unread = unread.lowerBound..<unread.upperBound + count
    }

    private func failure(_ reason: WireError.Reason) -> WireError {
        WireError(reason, at: Int(clamping: position), in: "diff stream")
    }
}

extension WireError.Reason {
    /// The bytes are no stream of `rbd export-diff`.
    public static let notADiff = WireError.Reason("not a stream of rbd export-diff")
}

internal import CCeph
internal import Glibc

/// Bytes read from ranges of an object, to be looked at and written on.
///
/// Where librados.hpp was found the bytes stay in the buffers they arrived in: reading them from
/// one cluster and writing them to another copies nothing.
public final class ObjectData: Sendable {
    private enum Storage {
        case native(UnsafeHandle)
        case copied([[UInt8]])
    }

    /// The ranges asked for.
    public let ranges: [Range<UInt64>]
    private let storage: Storage

    /// No bytes at all.
    public init() {
        storage = .copied([])
        ranges = []
    }

    fileprivate init(native: UnsafeHandle, ranges: [Range<UInt64>]) {
        storage = .native(native)
        self.ranges = ranges
    }

    package init(copied: [[UInt8]], ranges: [Range<UInt64>]) {
        storage = .copied(copied)
        self.ranges = ranges
    }

    deinit { if case .native(let handle) = storage { cceph_data_free(handle.pointer) } }

    /// The bytes of one range; fewer than asked for at the object's end.
    public func withPiece<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        switch storage {
        case .native(let handle):
            var length = 0
            let memory = cceph_data_piece(handle.pointer, index, &length)
            return body(UnsafeRawBufferPointer(start: memory, count: length))
        case .copied(let pieces):
            return pieces[index].withUnsafeBytes(body)
        }
    }

    /// Bytes read in all.
    public var count: Int { ranges.indices.reduce(0) { sum, index in sum + withPiece(index) { $0.count } } }

    /// The C++ side's handle.
    var native: UnsafeHandle? { if case .native(let handle) = storage { handle } else { nil } }
}

extension Pool {
    /// Reads several ranges of an object in one operation; no range, no operation.
    ///
    /// - Throws: `ENOENT` when the object does not exist (at the view's snapshot).
    /// - C++ call: `librados::ObjectReadOperation::read`; without librados.hpp `rados_read_op_read`.
    public func data(of object: String, in ranges: [Range<UInt64>]) async throws(CephError) -> ObjectData {
        guard !ranges.isEmpty else { return ObjectData() }
        guard native != nil else { return try await copiedData(of: object, in: ranges) }
        let extents = ranges.map { cceph_extent(offset: $0.lowerBound, length: $0.upperBound - $0.lowerBound) }
        let reply = try await awaitNative("read", on: object) { io, callback, argument in
            cceph_read(io, object, extents, extents.count, callback, argument)
        }
        return ObjectData(native: reply!, ranges: ranges)
    }

    private func copiedData(of object: String, in ranges: [Range<UInt64>]) async throws(CephError) -> ObjectData {
        var operation = ReadOperation()
        let results = ranges.map { operation.read(at: $0.lowerBound, length: Int($0.upperBound - $0.lowerBound)) }
        try await perform(operation, on: object)
        var pieces: [[UInt8]] = []
        for result in results { pieces.append(try result.value()) }
        return ObjectData(copied: pieces, ranges: ranges)
    }
}

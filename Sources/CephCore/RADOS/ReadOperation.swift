internal import CCeph
internal import Glibc

/// Reads of one object that see the same moment.
///
///     var operation = ReadOperation()
///     let size = operation.stat()
///     let names = operation.omapValues(limit: 1024)
///     try await pool.perform(operation, on: "rbd_directory")
///     print(try size.value(), try names.value().values)
public struct ReadOperation: ~Copyable {
    let handle: UnsafeHandle
    private(set) var slots: [AnyObject] = []

    public init() { handle = UnsafeHandle(pointer: rados_create_read_op()) }
    deinit { rados_release_read_op(handle.pointer) }

    /// One step's result, to be asked after the operation was performed.
    public final class Result<Value> {
        let code = UnsafeMutablePointer<CInt>.allocate(capacity: 1)
        private var taken: Value?
        private let take: () throws(WireError) -> Value
        private let release: () -> Void
        private let operation: String

        init(_ operation: String, take: @escaping () throws(WireError) -> Value, release: @escaping () -> Void) {
            self.operation = operation
            self.take = take
            self.release = release
            code.initialize(to: 0)
        }

        deinit {
            release()
            code.deallocate()
        }

        /// The step's value.
        ///
        /// - Throws: The step's own error.
        public func value() throws(CephError) -> Value {
            try check(code.pointee, operation)
            if let taken { return taken }
            do throws(WireError) {
                let value = try take()
                taken = value
                return value
            } catch {
                throw .undecodable(error, operation: operation, subject: "")
            }
        }
    }

    private mutating func keep<Value>(_ slot: Result<Value>) -> Result<Value> {
        slots.append(slot)
        return slot
    }

    // MARK: Guards

    /// Fails with `ENOENT` unless the object exists.
    public mutating func assertExists() { rados_read_op_assert_exists(handle.pointer) }
    /// Fails with `ERANGE` or `EOVERFLOW` unless the object has this version.
    public mutating func assertVersion(_ version: UInt64) { rados_read_op_assert_version(handle.pointer, version) }

    /// Fails with `ECANCELED` unless the attribute compares so with `value`.
    public mutating func compareXattr(_ name: String, _ comparison: Comparison = .equal, with value: [UInt8]) {
        value.withUnsafeBytes {
            rados_read_op_cmpxattr(
                handle.pointer, name, comparison.rawValue, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
    }

    // MARK: Data

    /// Size in bytes and modification time of the object.
    public mutating func stat() -> Result<ObjectStat> {
        let size = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        let time = UnsafeMutablePointer<time_t>.allocate(capacity: 1)
        size.initialize(to: 0)
        time.initialize(to: 0)
        let slot = keep(Result("stat", take: { ObjectStat(size: size.pointee, modified: time.pointee) }, release: {
            size.deallocate()
            time.deallocate()
        }))
        rados_read_op_stat(handle.pointer, size, time, slot.code)
        return slot
    }

    /// Up to `length` bytes from `offset`; fewer at the object's end.
    public mutating func read(at offset: UInt64, length: Int) -> Result<[UInt8]> {
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: max(length, 1))
        let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        count.initialize(to: 0)
        let slot = keep(Result("read", take: { Array(UnsafeRawBufferPointer(start: buffer, count: count.pointee)) }, release: {
            buffer.deallocate()
            count.deallocate()
        }))
        rados_read_op_read(handle.pointer, offset, length, buffer, count, slot.code)
        return slot
    }

    /// Digests of the chunks of a range, computed by the OSD.
    ///
    /// The range must lie inside the object and be a multiple of `chunk`; `0..<0` with chunk 0 is the
    /// whole object in one digest.
    public mutating func checksums(
        _ kind: ChunkChecksum, of range: Range<UInt64>, chunk: Int, seed: UInt64
    ) -> Result<[UInt64]> {
        let length = Int(range.upperBound - range.lowerBound)
        let digests = chunk == 0 ? 1 : length / chunk
        let capacity = 4 + digests * kind.width
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
        buffer.initialize(repeating: 0, count: capacity)
        let slot = keep(Result("checksum", take: { () throws(WireError) in
            let bytes = Array(UnsafeRawBufferPointer(start: buffer, count: capacity))
            return try kind.decodeDigests(bytes)
        }, release: { buffer.deallocate() }))
        kind.seedBytes(seed).withUnsafeBytes { seed in
            rados_read_op_checksum(
                handle.pointer, rados_checksum_type_t(kind.rawValue), seed.baseAddress?.assumingMemoryBound(to: CChar.self),
                seed.count, range.lowerBound, length, chunk, buffer, capacity, slot.code)
        }
        return slot
    }

    // MARK: Attributes, omap, class methods

    /// All extended attributes.
    public mutating func xattrs() -> Result<[String: [UInt8]]> {
        let iterator = IteratorBox()
        let slot = keep(Result("getxattrs", take: { iterator.drainXattrs() }, release: {
            if let open = iterator.pointer.pointee { rados_getxattrs_end(open) }
            iterator.free()
        }))
        rados_read_op_getxattrs(handle.pointer, iterator.pointer, slot.code)
        return slot
    }

    /// Omap entries in key order.
    ///
    /// - Parameters:
    ///   - after: Keys up to and including this one are skipped.
    ///   - prefix: Only keys that begin so.
    public mutating func omapValues(after: String = "", prefix: String = "", limit: Int = 1024) -> Result<OmapPage> {
        let iterator = IteratorBox()
        let more = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        more.initialize(to: 0)
        let slot = keep(Result("omap_get_vals", take: {
            OmapPage(entries: iterator.drainOmap(), hasMore: more.pointee != 0)
        }, release: {
            if let open = iterator.pointer.pointee { rados_omap_get_end(open) }
            iterator.free()
            more.deallocate()
        }))
        rados_read_op_omap_get_vals2(handle.pointer, after, prefix, UInt64(limit), iterator.pointer, more, slot.code)
        return slot
    }

    /// The omap values of the given keys; missing keys are left out.
    public mutating func omapValues(ofKeys keys: [String]) -> Result<OmapPage> {
        let iterator = IteratorBox()
        let slot = keep(Result("omap_get_vals_by_keys", take: {
            OmapPage(entries: iterator.drainOmap(), hasMore: false)
        }, release: {
            if let open = iterator.pointer.pointee { rados_omap_get_end(open) }
            iterator.free()
        }))
        let words = keys.map { strdup($0) }
        defer { for word in words { free(word) } }
        let pointers = words.map { UnsafePointer<CChar>($0) }
        let lengths = keys.map { $0.utf8.count }
        rados_read_op_omap_get_vals_by_keys2(handle.pointer, pointers, keys.count, lengths, iterator.pointer, slot.code)
        return slot
    }

    /// Runs an object class method that reads; the value is its encoded output.
    public mutating func call(_ call: ClassCall) -> Result<[UInt8]> {
        let output = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: 1)
        let length = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        output.initialize(to: nil)
        length.initialize(to: 0)
        let slot = keep(Result("\(call.className).\(call.method)", take: {
            Array(UnsafeRawBufferPointer(start: output.pointee, count: output.pointee == nil ? 0 : length.pointee))
        }, release: {
            if let buffer = output.pointee { rados_buffer_free(buffer) }
            output.deallocate()
            length.deallocate()
        }))
        call.input.withUnsafeBytes {
            rados_read_op_exec(
                handle.pointer, call.className, call.method, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count,
                output, length, slot.code)
        }
        return slot
    }
}

/// An iterator that a read operation fills in.
private final class IteratorBox {
    let pointer = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: 1)

    init() { pointer.initialize(to: nil) }
    func free() { pointer.deallocate() }

    func drainOmap() -> [(key: String, value: [UInt8])] {
        guard let iterator = pointer.pointee else { return [] }
        var entries: [(key: String, value: [UInt8])] = []
        while true {
            var key: UnsafeMutablePointer<CChar>?
            var value: UnsafeMutablePointer<CChar>?
            var keyLength = 0
            var valueLength = 0
            guard rados_omap_get_next2(iterator, &key, &value, &keyLength, &valueLength) == 0, let key else { return entries }
            entries.append((
                String(decoding: UnsafeRawBufferPointer(start: key, count: keyLength), as: UTF8.self),
                Array(UnsafeRawBufferPointer(start: value, count: valueLength))))
        }
    }

    func drainXattrs() -> [String: [UInt8]] {
        guard let iterator = pointer.pointee else { return [:] }
        var values: [String: [UInt8]] = [:]
        while true {
            var name: UnsafePointer<CChar>?
            var value: UnsafePointer<CChar>?
            var length = 0
            guard rados_getxattrs_next(iterator, &name, &value, &length) == 0, let name else { return values }
            values[String(cString: name)] = Array(UnsafeRawBufferPointer(start: value, count: length))
        }
    }
}

/// Size and time of an object.
public struct ObjectStat: Hashable, Sendable {
    /// Bytes.
    public let size: UInt64
    /// Seconds since 1970.
    public let modified: Int
}

/// Some omap entries, in key order.
public struct OmapPage: Sendable {
    public let entries: [(key: String, value: [UInt8])]
    /// More entries follow the last one.
    public let hasMore: Bool

    /// The entries by key, without their order.
    public var values: [String: [UInt8]] { Dictionary(entries.map { ($0.key, $0.value) }) { first, _ in first } }
}

extension Pool {
    /// Performs a compound read on an object.
    ///
    /// - Throws: ``CephError`` of the operation, `ENOENT` when the object does not exist.
    /// - C call: `rados_aio_read_op_operate`
    public func perform(
        _ operation: consuming ReadOperation, on object: String, flags: OperationFlags = []
    ) async throws(CephError) {
        let operation = operation
        let handle = operation.handle
        try await cluster.completion(of: "rados_aio_read_op_operate", on: subject(object)) {
            rados_aio_read_op_operate(handle.pointer, self.handle.pointer, $0, object, flags.rawValue)
        }
        withExtendedLifetime(operation.slots) {}
    }

    /// Runs one class method that reads and returns its output.
    ///
    /// - Throws: ``CephError`` with the method's name as the operation.
    public func call(_ call: ClassCall, on object: String) async throws(CephError) -> [UInt8] {
        var operation = ReadOperation()
        let reply = operation.call(call)
        do throws(CephError) {
            try await perform(operation, on: object)
            return try reply.value()
        } catch {
            throw CephError(
                code: error.code, operation: "\(call.className).\(call.method)", subject: subject(object))
        }
    }
}

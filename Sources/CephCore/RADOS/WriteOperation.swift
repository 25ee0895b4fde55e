internal import CCeph

/// Changes to one object that are applied together or not at all.
///
///     var operation = WriteOperation()
///     operation.create(exclusive: true)
///     operation.setOmap(["name": bytes])
///     try await pool.apply(operation, to: "rbd_directory")
///
/// Steps run in order. A class call does not see omap changes of earlier steps of the same operation.
public struct WriteOperation: ~Copyable {
    let handle: UnsafeHandle

    public init() { handle = UnsafeHandle(pointer: rados_create_write_op()) }
    deinit { rados_release_write_op(handle.pointer) }

    private func lend(_ bytes: some Collection<UInt8>, _ body: (UnsafePointer<CChar>?, Int) -> Void) {
        let copy = ContiguousArray(bytes)
        copy.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
    }

    // MARK: Guards

    /// Fails with `ENOENT` unless the object exists.
    public mutating func assertExists() { rados_write_op_assert_exists(handle.pointer) }

    /// Fails with `ERANGE` or `EOVERFLOW` unless the object has this version.
    public mutating func assertVersion(_ version: UInt64) { rados_write_op_assert_version(handle.pointer, version) }

    /// Fails with `ECANCELED` unless the attribute compares so with `value`.
    public mutating func compareXattr(_ name: String, _ comparison: Comparison = .equal, with value: [UInt8]) {
        lend(value) { rados_write_op_cmpxattr(handle.pointer, name, comparison.rawValue, $0, $1) }
    }

    /// Fails with `ECANCELED` unless the omap value compares so with `value`.
    public mutating func compareOmap(_ key: String, _ comparison: Comparison = .equal, with value: [UInt8]) {
        lend(value) { rados_write_op_omap_cmp2(handle.pointer, key, comparison.rawValue, $0, key.utf8.count, $1, nil) }
    }

    /// Fails unless the object's bytes at `offset` equal `bytes`.
    public mutating func compareExtent(_ bytes: [UInt8], at offset: UInt64) {
        lend(bytes) { rados_write_op_cmpext(handle.pointer, $0, $1, offset, nil) }
    }

    // MARK: Data

    /// Creates the object; with `exclusive`, fails with `EEXIST` if it is there.
    public mutating func create(exclusive: Bool) {
        rados_write_op_create(handle.pointer, exclusive ? 1 : 0, nil)
    }

    /// Writes bytes at an offset; creates a missing object and leaves a hole below `offset`.
    public mutating func write(_ bytes: some Collection<UInt8>, at offset: UInt64) {
        lend(bytes) { rados_write_op_write(handle.pointer, $0, $1, offset) }
    }

    /// Writes a part of a buffer; librados takes a copy.
    public mutating func write(_ buffer: borrowing IOBuffer, _ range: Range<Int>, at offset: UInt64) {
        rados_write_op_write(handle.pointer, buffer.part(range).pointer.assumingMemoryBound(to: CChar.self), range.count, offset)
    }

    /// Writes a pattern again and again over a range, which is a multiple of it.
    public mutating func writeSame(_ pattern: [UInt8], over range: Range<UInt64>) {
        lend(pattern) { rados_write_op_writesame(handle.pointer, $0, $1, Int(range.upperBound - range.lowerBound), range.lowerBound) }
    }

    /// Replaces the whole content.
    public mutating func writeFull(_ bytes: some Collection<UInt8>) {
        lend(bytes) { rados_write_op_write_full(handle.pointer, $0, $1) }
    }

    /// Writes behind the object's end; repeated after an unknown outcome it may append twice.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        lend(bytes) { rados_write_op_append(handle.pointer, $0, $1) }
    }

    /// Cuts the object or grows it with a hole to `size` bytes; does nothing to a missing one.
    public mutating func truncate(to size: UInt64) { rados_write_op_truncate(handle.pointer, size) }

    /// Zeroes a range; does not create a missing object.
    public mutating func zero(_ range: Range<UInt64>) {
        rados_write_op_zero(handle.pointer, range.lowerBound, range.upperBound - range.lowerBound)
    }

    /// Removes the object; fails with `ENOENT` when it is missing.
    public mutating func remove() { rados_write_op_remove(handle.pointer) }

    /// Tells the OSD the expected size of the object and of writes, in bytes.
    public mutating func setAllocationHint(objectSize: UInt64, writeSize: UInt64) {
        rados_write_op_set_alloc_hint2(handle.pointer, objectSize, writeSize, 0)
    }

    // MARK: Attributes, omap, class methods

    /// Sets an attribute; creates a missing object.
    public mutating func setXattr(_ name: String, to value: [UInt8]) {
        lend(value) { rados_write_op_setxattr(handle.pointer, name, $0, $1) }
    }

    /// Removes an attribute of an object that exists.
    public mutating func removeXattr(_ name: String) { rados_write_op_rmxattr(handle.pointer, name) }

    /// Adds omap entries or replaces their values; creates a missing object.
    public mutating func setOmap(_ values: [String: [UInt8]]) {
        for (key, value) in values {
            lend(value) { bytes, length in
                key.withCString { text in
                    var keys: UnsafePointer<CChar>? = text
                    var values = bytes
                    var keyLength = key.utf8.count
                    var length = length
                    rados_write_op_omap_set2(handle.pointer, &keys, &values, &keyLength, &length, 1)
                }
            }
        }
    }

    /// Removes omap entries, passing over keys that are not there; fails with `ENOENT` without the object.
    public mutating func removeOmap(_ keys: some Sequence<String>) {
        for key in keys {
            key.withCString { text in
                var keys: UnsafePointer<CChar>? = text
                var length = key.utf8.count
                rados_write_op_omap_rm_keys2(handle.pointer, &keys, &length, 1)
            }
        }
    }

    /// Removes all omap entries; fails with `ENOENT` without the object.
    public mutating func clearOmap() { rados_write_op_omap_clear(handle.pointer) }

    /// Runs an object class method; its failure fails the whole operation.
    public mutating func call(_ call: ClassCall) {
        lend(call.input) { rados_write_op_exec(handle.pointer, call.className, call.method, $0, $1, nil) }
    }
}

extension Pool {
    /// Applies a compound operation to an object.
    ///
    /// - Returns: The object's version after it.
    /// - Throws: ``CephError`` of the first step that failed; `EROFS` on a view of a snapshot.
    /// - C call: `rados_aio_write_op_operate`
    @discardableResult
    public func apply(
        _ operation: consuming WriteOperation, to object: String, flags: OperationFlags = .failWhenFull
    ) async throws(CephError) -> UInt64 {
        let operation = operation
        let handle = operation.handle
        return try await cluster.completion(of: "rados_aio_write_op_operate", on: subject(object)) {
            rados_aio_write_op_operate(handle.pointer, self.handle.pointer, $0, object, nil, flags.rawValue)
        }.version
    }

    /// Runs class methods that write, in one operation.
    ///
    /// - Throws: ``CephError`` with the methods' names as the operation.
    public func change(
        _ object: String, with calls: ClassCall..., flags: OperationFlags = .failWhenFull
    ) async throws(CephError) {
        var operation = WriteOperation()
        for call in calls { operation.call(call) }
        do throws(CephError) {
            try await apply(operation, to: object, flags: flags)
        } catch {
            let names = calls.map { "\($0.className).\($0.method)" }.joined(separator: "+")
            throw CephError(code: error.code, operation: names, subject: error.subject)
        }
    }
}

internal import CCeph

/// Changes to the content of one object, applied together: what a copy writes.
///
/// Unlike a ``WriteOperation`` it refers to ``ObjectData`` instead of copying it.
public struct ObjectUpdate: Sendable {
    enum Step: Sendable {
        case hint(objectSize: UInt64, writeSize: UInt64)
        case ensureExists, assertExists
        case write(ObjectData, piece: Int, part: Range<Int>, offset: UInt64)
        case zero(Range<UInt64>)
        case truncate(UInt64)
        case remove
    }

    private(set) var steps: [Step] = []

    public init() {}

    /// Whether no step was added.
    public var isEmpty: Bool { steps.isEmpty }

    /// Tells the OSD the expected sizes of the object and of writes, in bytes.
    public mutating func setAllocationHint(objectSize: UInt64, writeSize: UInt64) {
        steps.append(.hint(objectSize: objectSize, writeSize: writeSize))
    }

    /// Creates the object if it is missing.
    public mutating func ensureExists() { steps.append(.ensureExists) }

    /// Lets the whole update fail with `ENOENT` when the object is missing.
    public mutating func assertExists() { steps.append(.assertExists) }

    /// Writes a part of one piece of data.
    public mutating func write(_ data: ObjectData, piece: Int, _ part: Range<Int>, at offset: UInt64) {
        steps.append(.write(data, piece: piece, part: part, offset: offset))
    }

    /// Zeroes a range; does not create a missing object.
    public mutating func zero(_ range: Range<UInt64>) { steps.append(.zero(range)) }

    /// Cuts the object or grows it with a hole to `size` bytes; does nothing to a missing one.
    public mutating func truncate(to size: UInt64) { steps.append(.truncate(size)) }

    /// Removes the object; fails with `ENOENT` when it is missing.
    public mutating func remove() { steps.append(.remove) }
}

extension Pool {
    /// Applies an update of an object's content.
    ///
    /// - C++ call: `librados::IoCtx::aio_operate`; without librados.hpp `rados_aio_write_op_operate`.
    public func apply(
        _ update: ObjectUpdate, to object: String, flags: OperationFlags = .failWhenFull
    ) async throws(CephError) {
        guard native != nil else {
            try await apply(update.copied(), to: object, flags: flags)
            return
        }
        let operation = update.native()
        defer { cceph_update_free(operation.pointer) }
        _ = try await awaitNative("write", on: object) { io, callback, argument in
            cceph_update_apply(io, object, operation.pointer, flags.rawValue, callback, argument)
        }
    }
}

extension ObjectUpdate {
    fileprivate func native() -> UnsafeHandle {
        let update = cceph_update_create()!
        for step in steps {
            switch step {
            case .hint(let objectSize, let writeSize): cceph_update_hint(update, objectSize, writeSize)
            case .ensureExists: cceph_update_ensure_exists(update)
            case .assertExists: cceph_update_assert_exists(update)
            case .write(let data, let piece, let part, let offset):
                cceph_update_write(update, data.native!.pointer, piece, part.lowerBound, part.count, offset)
            case .zero(let range): cceph_update_zero(update, range.lowerBound, range.upperBound - range.lowerBound)
            case .truncate(let size): cceph_update_truncate(update, size)
            case .remove: cceph_update_remove(update)
            }
        }
        return UnsafeHandle(pointer: update)
    }

    fileprivate func copied() -> WriteOperation {
        var operation = WriteOperation()
        for step in steps {
            switch step {
            case .hint(let objectSize, let writeSize):
                operation.setAllocationHint(objectSize: objectSize, writeSize: writeSize)
            case .ensureExists: operation.create(exclusive: false)
            case .assertExists: operation.assertExists()
            case .write(let data, let piece, let part, let offset):
                operation.write(data.withPiece(piece) { Array($0[part]) }, at: offset)
            case .zero(let range): operation.zero(range)
            case .truncate(let size): operation.truncate(to: size)
            case .remove: operation.remove()
            }
        }
        return operation
    }
}

public import CephCore

/// Class methods of data objects.
public enum DataObjectMethod {
    /// Writes the object's whole content if it does not exist.
    public static func copyUp(_ content: [UInt8]) -> ClassCall { ClassCall("rbd", "copyup", input: content) }

    /// Like ``copyUp(_:)`` for parts of an object; without parts an empty object is made.
    ///
    /// - Parameter extents: Ascending ranges of the object and their bytes.
    public static func sparseCopyUp(_ extents: [(offset: UInt64, bytes: [UInt8])]) -> ClassCall {
        HeaderMethod.call("sparse_copyup") {
            $0.list(extents) {
                $0.u64($1.offset)
                $0.u64(UInt64($1.bytes.count))
            }
            $0.count(extents.reduce(0) { $0 + $1.bytes.count })
            for extent in extents { $0.raw(extent.bytes) }
        }
    }

    /// A guard in front of a write; `ERANGE` when it does not hold.
    ///
    /// - Parameter isNewer: Holds when `sequence` is newer than every context the object was written with, else when not.
    public static func assertSnapshotSequence(_ sequence: UInt64, isNewer: Bool) -> ClassCall {
        HeaderMethod.call("assert_snapc_seq") {
            $0.u64(sequence)
            $0.u8(isNewer ? 0 : 1)
        }
    }

    /// Drops zero blocks.
    public static func sparsify(blockSize: UInt64, removeIfEmpty: Bool) -> ClassCall {
        HeaderMethod.call("sparsify") {
            $0.u64(blockSize)
            $0.bool(removeIfEmpty)
        }
    }
}

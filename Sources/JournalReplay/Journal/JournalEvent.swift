public import RBDImage

/// One thing that was done to an image, as its journal tells it.
///
/// Offsets and lengths are bytes of the image. Types of newer releases arrive as ``unknown(type:body:)``.
public enum JournalEvent: Hashable, Sendable {
    case write(Write)
    case discard(Discard)
    case writeSame(WriteSame)
    case compareAndWrite(CompareAndWrite)
    /// A flush that a user of the image asked for.
    case flush
    /// The start of a maintenance operation; an ``operationFinish(_:)`` with the same id follows when it has ended.
    ///
    /// The ids count from 1 each time the image is opened: they never pair across tags.
    case operation(id: UInt64, Operation)
    case operationFinish(OperationFinish)
    /// A demotion or a promotion: the only entry of its tag.
    case roleChange
    /// A type this version does not know, carried through as it came; stock daemons pass it over.
    case unknown(type: UInt32, body: [UInt8])

    /// Bytes that were written.
    public struct Write: Hashable, Sendable {
        public var offset: UInt64
        /// As it was recorded; what a sound journal holds is `data.count`.
        public var length: UInt64
        /// A slice of what was read from the journal: holding it holds all of that.
        public var data: ArraySlice<UInt8>

        public init(offset: UInt64, data: ArraySlice<UInt8>) {
            self.init(offset: offset, length: UInt64(data.count), data: data)
        }

        init(offset: UInt64, length: UInt64, data: ArraySlice<UInt8>) {
            (self.offset, self.length, self.data) = (offset, length, data)
        }

        public var range: Range<UInt64> { Range(offset: offset, length: length) }
    }

    /// Bytes that read as zeroes afterwards.
    public struct Discard: Hashable, Sendable {
        public var offset: UInt64
        public var length: UInt64
        /// Bytes: only what is aligned to it is discarded, the edges stay as they are. 0 has every byte of the range zeroed, as
        /// write-zeroes does.
        public var granularity: UInt32

        public init(offset: UInt64, length: UInt64, granularity: UInt32 = 0) {
            (self.offset, self.length, self.granularity) = (offset, length, granularity)
        }

        public var range: Range<UInt64> { Range(offset: offset, length: length) }
    }

    /// A pattern that was written again and again.
    public struct WriteSame: Hashable, Sendable {
        public var offset: UInt64
        public var length: UInt64
        public var pattern: ArraySlice<UInt8>

        public init(offset: UInt64, length: UInt64, pattern: ArraySlice<UInt8>) {
            (self.offset, self.length, self.pattern) = (offset, length, pattern)
        }

        public var range: Range<UInt64> { Range(offset: offset, length: length) }
    }

    /// Bytes that were written if others were there. A mismatch is recorded too, and changes nothing.
    public struct CompareAndWrite: Hashable, Sendable {
        public var offset: UInt64
        /// As it was recorded; what a sound journal holds is the length of either buffer.
        public var length: UInt64
        public var expected: ArraySlice<UInt8>
        public var data: ArraySlice<UInt8>

        public init(offset: UInt64, expected: ArraySlice<UInt8>, data: ArraySlice<UInt8>) {
            self.init(offset: offset, length: UInt64(data.count), expected: expected, data: data)
        }

        init(offset: UInt64, length: UInt64, expected: ArraySlice<UInt8>, data: ArraySlice<UInt8>) {
            (self.offset, self.length, self.expected, self.data) = (offset, length, expected, data)
        }

        public var range: Range<UInt64> { Range(offset: offset, length: length) }
    }

    /// A maintenance operation.
    public enum Operation: Hashable, Sendable {
        case snapshotCreate(JournalSnapshot)
        case snapshotRemove(JournalSnapshot)
        case snapshotRename(SnapshotRename)
        case snapshotProtect(JournalSnapshot)
        case snapshotUnprotect(JournalSnapshot)
        case snapshotRollBack(JournalSnapshot)
        case rename(to: String)
        /// To so many bytes.
        case resize(to: UInt64)
        case flatten
        /// `nil` for no limit.
        case snapshotLimit(UInt64?)
        case updateFeatures(ImageFeatures, enabled: Bool)
        /// The value need not be text.
        case metadataSet(key: String, value: [UInt8])
        case metadataRemove(key: String)
    }

    /// A snapshot's new name.
    public struct SnapshotRename: Hashable, Sendable {
        /// On the journal's own side.
        public var id: UInt64
        /// Empty in the first version of the format.
        public var from: String
        public var to: String

        public init(id: UInt64, from: String, to: String) { (self.id, self.from, self.to) = (id, from, to) }
    }

    /// The end of a maintenance operation.
    public struct OperationFinish: Hashable, Sendable {
        public var id: UInt64
        /// The id is stored twice.
        var repeatedID: UInt64
        /// 0, or a negative errno.
        public var result: Int32

        public init(id: UInt64, result: Int32 = 0) { (self.id, repeatedID, self.result) = (id, id, result) }
    }
}

extension Range<UInt64> {
    /// What would go beyond the last number there is ends there.
    fileprivate init(offset: UInt64, length: UInt64) {
        let (end, overflows) = offset.addingReportingOverflow(length)
        self = offset..<(overflows ? .max : end)
    }
}

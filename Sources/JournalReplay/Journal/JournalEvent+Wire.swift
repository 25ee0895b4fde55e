internal import CephCore
internal import RBDImage

/// What stands for each type of event on disk.
private enum EventType {
    static let discard: UInt32 = 0, write: UInt32 = 1, flush: UInt32 = 2, operationFinish: UInt32 = 3
    static let snapshotCreate: UInt32 = 4, snapshotRemove: UInt32 = 5, snapshotRename: UInt32 = 6, snapshotProtect: UInt32 = 7
    static let snapshotUnprotect: UInt32 = 8, snapshotRollBack: UInt32 = 9, rename: UInt32 = 10, resize: UInt32 = 11
    static let flatten: UInt32 = 12, roleChange: UInt32 = 13, snapshotLimit: UInt32 = 14, updateFeatures: UInt32 = 15
    static let metadataSet: UInt32 = 16, metadataRemove: UInt32 = 17, writeSame: UInt32 = 18, compareAndWrite: UInt32 = 19
}

extension JournalEvent {
    /// What it is on disk.
    public var type: UInt32 {
        switch self {
        case .discard: EventType.discard
        case .write: EventType.write
        case .flush: EventType.flush
        case .operationFinish: EventType.operationFinish
        case .operation(_, let operation): operation.type
        case .roleChange: EventType.roleChange
        case .writeSame: EventType.writeSame
        case .compareAndWrite: EventType.compareAndWrite
        case .unknown(let type, _): type
        }
    }

    func encodeBody(into encoder: inout Encoder, version: UInt8) {
        switch self {
        case .discard(let discard):
            encoder.u64(discard.offset)
            encoder.u64(discard.length)
            if version >= 4 { encoder.bool(discard.granularity > 0) }
            if version >= 5 { encoder.u32(discard.granularity) }
        case .write(let write):
            encoder.u64(write.offset)
            encoder.u64(write.length)
            encoder.blob(write.data)
        case .writeSame(let write):
            encoder.u64(write.offset)
            encoder.u64(write.length)
            encoder.blob(write.pattern)
        case .compareAndWrite(let write):
            encoder.u64(write.offset)
            encoder.u64(write.length)
            encoder.blob(write.expected)
            encoder.blob(write.data)
        case .flush, .roleChange: break
        case .operation(let id, let operation):
            encoder.u64(id)
            operation.encodeBody(into: &encoder, version: version)
        case .operationFinish(let finish):
            encoder.u64(finish.id)
            encoder.u64(finish.repeatedID)
            encoder.i32(finish.result)
        case .unknown(_, let body): encoder.raw(body)
        }
    }

    /// - Parameter version: Of the frame around it.
    init(from decoder: inout Decoder, version: UInt8) throws(WireError) {
        let type = try decoder.u32()
        switch type {
        case EventType.discard: self = .discard(try Discard(from: &decoder, version: version))
        case EventType.write:
            self = .write(Write(offset: try decoder.u64(), length: try decoder.u64(), data: try decoder.slice()))
        case EventType.writeSame:
            self = .writeSame(WriteSame(offset: try decoder.u64(), length: try decoder.u64(), pattern: try decoder.slice()))
        case EventType.compareAndWrite:
            self = .compareAndWrite(CompareAndWrite(
                offset: try decoder.u64(), length: try decoder.u64(), expected: try decoder.slice(), data: try decoder.slice()))
        case EventType.flush: self = .flush
        case EventType.roleChange: self = .roleChange
        case EventType.operationFinish:
            var finish = OperationFinish(id: try decoder.u64())
            finish.repeatedID = try decoder.u64()
            finish.result = try decoder.i32()
            self = .operationFinish(finish)
        case EventType.snapshotCreate...EventType.metadataRemove:
            let id = try decoder.u64()
            self = .operation(id: id, try Operation(type, from: &decoder, version: version))
        default: self = .unknown(type: type, body: Array(try decoder.raw(decoder.remaining)))
        }
    }
}

extension JournalEvent.Discard {
    fileprivate init(from decoder: inout Decoder, version: UInt8) throws(WireError) {
        self.init(offset: try decoder.u64(), length: try decoder.u64())
        // Version 4 could only say whether the edges are left alone: whole objects it is then.
        let leavesEdges = version >= 4 ? try decoder.bool() : false
        let granularity = version >= 5 ? try decoder.u32() : .max
        if leavesEdges { self.granularity = granularity }
    }
}

extension JournalEvent.Operation {
    fileprivate var type: UInt32 {
        switch self {
        case .snapshotCreate: EventType.snapshotCreate
        case .snapshotRemove: EventType.snapshotRemove
        case .snapshotRename: EventType.snapshotRename
        case .snapshotProtect: EventType.snapshotProtect
        case .snapshotUnprotect: EventType.snapshotUnprotect
        case .snapshotRollBack: EventType.snapshotRollBack
        case .rename: EventType.rename
        case .resize: EventType.resize
        case .flatten: EventType.flatten
        case .snapshotLimit: EventType.snapshotLimit
        case .updateFeatures: EventType.updateFeatures
        case .metadataSet: EventType.metadataSet
        case .metadataRemove: EventType.metadataRemove
        }
    }

    /// What comes after the operation's id.
    fileprivate func encodeBody(into encoder: inout Encoder, version: UInt8) {
        switch self {
        case .snapshotCreate(let snapshot): snapshot.encode(into: &encoder, withNamespace: version >= 3)
        case .snapshotRemove(let snapshot), .snapshotProtect(let snapshot), .snapshotUnprotect(let snapshot),
            .snapshotRollBack(let snapshot):
            snapshot.encode(into: &encoder, withNamespace: version >= 4)
        case .snapshotRename(let rename):
            encoder.string(rename.to)
            encoder.u64(rename.id)
            if version >= 2 { encoder.string(rename.from) }
        case .rename(let name): encoder.string(name)
        case .resize(let size): encoder.u64(size)
        case .flatten: break
        case .snapshotLimit(let limit): encoder.u64(limit ?? .max)
        case .updateFeatures(let features, let enabled):
            encoder.u64(features.rawValue)
            encoder.bool(enabled)
        case .metadataSet(let key, let value):
            encoder.string(key)
            encoder.blob(value)
        case .metadataRemove(let key): encoder.string(key)
        }
    }

    fileprivate init(_ type: UInt32, from decoder: inout Decoder, version: UInt8) throws(WireError) {
        switch type {
        case EventType.snapshotCreate: self = .snapshotCreate(try JournalSnapshot(from: &decoder, withNamespace: version >= 3))
        case EventType.snapshotRemove: self = .snapshotRemove(try JournalSnapshot(from: &decoder, withNamespace: version >= 4))
        case EventType.snapshotRename:
            let name = try decoder.string(), id = try decoder.u64()
            self = .snapshotRename(.init(id: id, from: version >= 2 ? try decoder.string() : "", to: name))
        case EventType.snapshotProtect: self = .snapshotProtect(try JournalSnapshot(from: &decoder, withNamespace: version >= 4))
        case EventType.snapshotUnprotect: self = .snapshotUnprotect(try JournalSnapshot(from: &decoder, withNamespace: version >= 4))
        case EventType.snapshotRollBack: self = .snapshotRollBack(try JournalSnapshot(from: &decoder, withNamespace: version >= 4))
        case EventType.rename: self = .rename(to: try decoder.string())
        case EventType.resize: self = .resize(to: try decoder.u64())
        case EventType.flatten: self = .flatten
        case EventType.snapshotLimit:
            let limit = try decoder.u64()
            self = .snapshotLimit(limit == .max ? nil : limit)
        case EventType.updateFeatures:
            self = .updateFeatures(ImageFeatures(rawValue: try decoder.u64()), enabled: try decoder.bool())
        case EventType.metadataSet: self = .metadataSet(key: try decoder.string(), value: try decoder.blob())
        case EventType.metadataRemove: self = .metadataRemove(key: try decoder.string())
        default: throw decoder.failure(.invalidValue)
        }
    }
}

extension JournalSnapshot {
    fileprivate func encode(into encoder: inout Encoder, withNamespace: Bool) {
        encoder.string(name)
        if withNamespace { namespace.encode(into: &encoder) }
    }

    fileprivate init(from decoder: inout Decoder, withNamespace: Bool) throws(WireError) {
        self.init(try decoder.string(), withNamespace ? try SnapshotNamespace(from: &decoder) : .user)
    }
}

extension Decoder {
    /// Reads a u32 length and that many bytes, which are not copied.
    fileprivate mutating func slice() throws(WireError) -> ArraySlice<UInt8> { try raw(try count()) }
}

extension JournalEvent {
    /// What stock tools call it.
    public var name: String {
        switch self {
        case .write: "AioWrite"
        case .discard: "AioDiscard"
        case .writeSame: "AioWriteSame"
        case .compareAndWrite: "AioCompareAndWrite"
        case .flush: "AioFlush"
        case .operation(_, let operation): operation.name
        case .operationFinish: "OpFinish"
        case .roleChange: "Demote/Promote"
        case .unknown(let type, _): "Unknown (\(type))"
        }
    }
}

extension JournalEvent.Operation {
    /// What stock tools call it.
    public var name: String {
        switch self {
        case .snapshotCreate: "SnapCreate"
        case .snapshotRemove: "SnapRemove"
        case .snapshotRename: "SnapRename"
        case .snapshotProtect: "SnapProtect"
        case .snapshotUnprotect: "SnapUnprotect"
        case .snapshotRollBack: "SnapRollback"
        case .rename: "Rename"
        case .resize: "Resize"
        case .flatten: "Flatten"
        case .snapshotLimit: "SnapLimit"
        case .updateFeatures: "UpdateFeatures"
        case .metadataSet: "MetadataSet"
        case .metadataRemove: "MetadataRemove"
        }
    }
}

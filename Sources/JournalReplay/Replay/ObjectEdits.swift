/// One change of a data object.
enum ObjectEdit: Hashable, Sendable {
    case write(offset: UInt64, ArraySlice<UInt8>)
    /// The pattern again and again; the range is a multiple of it.
    case writeSame(Range<UInt64>, pattern: [UInt8])
    case zero(Range<UInt64>)
    /// Everything from there on is gone.
    case truncate(UInt64)
    case remove

    /// Of data that is held.
    var bytes: Int {
        switch self {
        case .write(_, let data): data.count
        case .writeSame(_, let pattern): pattern.count
        case .zero, .truncate, .remove: 0
        }
    }
}

/// What is done to one object, in order; it travels as one operation. Pure.
struct ObjectEdits: Hashable, Sendable {
    private(set) var edits: [ObjectEdit] = []

    mutating func add(_ edit: ObjectEdit) {
        switch edit {
        case .remove: edits = [.remove]
        // What is gone stays gone.
        case .zero, .truncate: if edits != [.remove] { edits.append(edit) }
        case .write, .writeSame:
            // An object is not removed and made in one operation: it is emptied.
            if edits == [.remove] { edits = [.truncate(0)] }
            edits.append(edit)
        }
    }

    /// Whether the object is there afterwards if it was not before.
    var creates: Bool { edits.contains { if case .write = $0 { true } else if case .writeSame = $0 { true } else { false } } }
    var removes: Bool { edits == [.remove] }
    /// Of data that is held.
    var bytes: Int { edits.reduce(0) { $0 + $1.bytes } }
}

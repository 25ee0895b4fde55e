internal import CephCore

/// Whether what an archive holds follows on from what came before. Pure.
struct ArchiveOrder {
    private(set) var last: JournalPosition?
    /// Of the newest tag record.
    private var epoch: JournalEpoch?
    private var tag: UInt64?

    /// Where something is missing.
    struct Gap: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    mutating func add(_ record: ArchiveRecord) throws(Gap) {
        switch record {
        case .tag(let new):
            let newest = max(tag ?? 0, last?.tag ?? 0)
            guard new.id >= newest else { throw Gap(description: "tag \(new.id) comes after tag \(newest)") }
            (tag, epoch) = (new.id, try? new.epoch())
            try checkEnd(new.id)
        case .entry(let position, _):
            defer { last = position }
            guard let last else { return }
            if position.tag == last.tag {
                guard position.entry == last.entry + 1 else { throw gap(before: position) }
            } else {
                guard position.tag > last.tag, position.entry == 0, position.tag == tag else { throw gap(before: position) }
            }
        }
    }

    /// The tag before is whole if it has all that was committed of it when the new one began.
    private func checkEnd(_ new: UInt64) throws(Gap) {
        guard let last, let before = epoch?.predecessor, before.isCommitted, before.owner == .local, last.tag != new else { return }
        guard (last.tag, last.entry) >= (before.tag, before.entry) else {
            throw Gap(description: "tag \(last.tag) ends with entry \(last.entry), and tag \(before.tag), entry \(before.entry) was committed")
        }
    }

    private func gap(before position: JournalPosition) -> Gap {
        Gap(description: "after tag \(last!.tag), entry \(last!.entry) comes tag \(position.tag), entry \(position.entry)")
    }
}

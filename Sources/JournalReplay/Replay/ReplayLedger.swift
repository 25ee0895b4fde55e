/// How far the entries that were taken up are done with. Pure.
///
/// Entries are done with in any order; what may be committed is the last one before which all are.
struct ReplayLedger {
    private let splayWidth: UInt64
    private(set) var committed: JournalCommitPosition
    /// Entries behind the committed one, in order, and whether they are done with.
    private var open: [(position: JournalPosition, isDone: Bool)] = []
    /// Of the first of them.
    private var first = 0

    init(after committed: JournalCommitPosition, splayWidth: UInt64) {
        (self.committed, self.splayWidth) = (committed, splayWidth)
    }

    /// Takes an entry up and returns its number, for ``finish(_:)``.
    mutating func begin(_ position: JournalPosition) -> Int {
        open.append((position, false))
        return first + open.count - 1
    }

    /// Entries are done with.
    mutating func finish(_ numbers: some Sequence<Int>) {
        for number in numbers { open[number - first].isDone = true }
        let count = open.prefix { $0.isDone }.count
        for entry in open.prefix(count) { committed.advance(to: entry.position, splayWidth: splayWidth) }
        open.removeFirst(count)
        first += count
    }

    mutating func finish(_ number: Int) { finish(CollectionOfOne(number)) }

    /// Entries that were taken up and are not committed.
    var count: Int { open.count }
}

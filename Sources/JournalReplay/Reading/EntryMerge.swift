/// Puts the entries of the objects that are written side by side into their order. Pure.
///
/// The order is by tag, and within a tag by number, without a gap: the first number that is missing ends the tag. What a writer
/// had under way when it died may lie behind the gap; it was never acknowledged, and is passed over.
struct EntryMerge {
    /// What lies in one of the objects next.
    struct Head: Hashable {
        var frame: JournalFrame
        var object: UInt64
        var offset: UInt64

        func isBefore(_ tag: UInt64, _ entry: UInt64) -> Bool { (frame.tag, frame.entry) < (tag, entry) }
    }

    enum Step: Hashable {
        case entry(Head)
        /// More of a lane has to be read: all of the lane's entries so far are used up.
        case needs(lane: Int)
        /// The lane has been read to its end, and what comes next is not there.
        case stalled(lane: Int)
        /// An entry is missing before this one.
        case gap(Head)
    }

    private enum State: Hashable {
        /// Nothing was seen, and nothing committed.
        case beginning
        /// The first tag there is: without an entry 0 it begins with another one, as stock sees it.
        case expectingFirst(tag: UInt64)
        case expecting(tag: UInt64, entry: UInt64)
        /// A tag is complete: the next one that has an entry 0 follows.
        case seeking(after: UInt64)
    }

    private struct Lane {
        var heads: [Head] = []
        var next = 0
        var isAtEnd = false

        var head: Head? { next < heads.count ? heads[next] : nil }

        mutating func drop() {
            next += 1
            guard next == heads.count else { return }
            heads.removeAll(keepingCapacity: true)
            next = 0
        }

        mutating func drop(while isStale: (Head) -> Bool) { while let head, isStale(head) { drop() } }
    }

    private var lanes: [Lane]
    private var state: State
    /// Entries that were passed over.
    private(set) var strays = 0

    init(width: Int, after committed: JournalPosition?) {
        lanes = Array(repeating: Lane(), count: width)
        state = committed.map { .expecting(tag: $0.tag, entry: $0.entry &+ 1) } ?? .beginning
    }

    /// The tag that is read, and the number of its entry that comes next; nil between two tags.
    var expected: (tag: UInt64, entry: UInt64)? {
        switch state {
        case .expecting(let tag, let entry): (tag, entry)
        case .expectingFirst(let tag): (tag, 0)
        case .beginning, .seeking: nil
        }
    }

    /// Between two tags: the one before.
    var tagBefore: UInt64? { if case .seeking(let tag) = state { tag } else { nil } }

    /// The lanes of which more could be read, and nothing is left.
    var emptyLanes: [Int] { lanes.indices.filter { lanes[$0].head == nil && !lanes[$0].isAtEnd } }

    /// Adds what was read of a lane.
    ///
    /// - Parameter isAtEnd: Whether that is all there is at the moment.
    mutating func add(_ heads: [Head], to lane: Int, isAtEnd: Bool) {
        lanes[lane].heads += heads
        lanes[lane].isAtEnd = isAtEnd
    }

    /// More may have come to a lane that was read to its end.
    mutating func reopen(_ lane: Int) { lanes[lane].isAtEnd = false }

    /// The tag that is read has no more entries.
    mutating func endTag() {
        switch state {
        case .expecting(let tag, _): state = .seeking(after: tag)
        case .expectingFirst(let tag):
            let first = lanes.compactMap(\.head).filter { $0.frame.tag == tag }.map(\.frame.entry).min()
            state = first.map { .expecting(tag: tag, entry: $0) } ?? .seeking(after: tag)
        case .beginning, .seeking: break
        }
    }

    mutating func next() -> Step {
        while true {
            switch state {
            case .beginning:
                if let lane = lanes.indices.first(where: { lanes[$0].head == nil && !lanes[$0].isAtEnd }) { return .needs(lane: lane) }
                let first = lanes.compactMap(\.head).min { $0.isBefore($1.frame.tag, $1.frame.entry) }
                guard let first else { return .stalled(lane: 0) }
                state = .expectingFirst(tag: first.frame.tag)
            case .expectingFirst(let tag):
                guard let head = lanes[0].head else { return lanes[0].isAtEnd ? .stalled(lane: 0) : .needs(lane: 0) }
                if (head.frame.tag, head.frame.entry) == (tag, 0) { state = .expecting(tag: tag, entry: 0) } else { endTag() }
            case .expecting(let tag, let entry):
                let lane = Int(entry % UInt64(lanes.count))
                dropStale(lane) { $0.isBefore(tag, entry) }
                guard let head = lanes[lane].head else { return lanes[lane].isAtEnd ? .stalled(lane: lane) : .needs(lane: lane) }
                guard head.frame.tag == tag else {
                    endTag()
                    continue
                }
                guard head.frame.entry == entry else { return .gap(head) }
                lanes[lane].drop()
                state = .expecting(tag: tag, entry: entry &+ 1)
                return .entry(head)
            case .seeking(let tag):
                dropStale(0) { $0.frame.tag <= tag }
                guard let head = lanes[0].head else { return lanes[0].isAtEnd ? .stalled(lane: 0) : .needs(lane: 0) }
                guard head.frame.entry == 0 else { return .gap(head) }
                state = .expecting(tag: head.frame.tag, entry: 0)
            }
        }
    }

    private mutating func dropStale(_ lane: Int, _ isStale: (Head) -> Bool) {
        lanes[lane].drop {
            guard isStale($0) else { return false }
            strays += 1
            return true
        }
    }
}

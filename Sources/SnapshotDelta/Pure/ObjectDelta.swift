public import RBDImage

/// How an object stands at the end of a span of history, and whether it was touched in it.
public struct ObjectDelta: Hashable, Sendable {
    let rawValue: UInt8
    /// Absent, untouched.
    public static let hole = ObjectDelta(rawValue: 0)
    /// Present, untouched.
    public static let data = ObjectDelta(rawValue: 1)
    /// Absent now; it was there.
    public static let holeUpdated = ObjectDelta(rawValue: 2)
    /// Present, touched.
    public static let dataUpdated = ObjectDelta(rawValue: 3)
}

/// The object deltas of an image between two of its points, from its object maps.
public struct ObjectDeltaMap: Hashable, Sendable {
    /// One byte an object; the vector only grows along the history.
    private var states: [UInt8] = []

    public var count: Int { states.count }
    public subscript(index: Int) -> ObjectDelta { ObjectDelta(rawValue: states[index]) }

    /// One revision on the way from the older point to the newer one.
    public struct Revision: Sendable {
        public let map: ObjectMap
        /// Objects of the image at this revision.
        public let objectCount: Int
        public init(map: ObjectMap, objectCount: Int) {
            self.map = map
            self.objectCount = objectCount
        }
    }

    /// Follows the maps of every revision, oldest first.
    ///
    /// - Parameters:
    ///   - start: The older point; nil for the beginning of time.
    ///   - rest: The revisions after it, up to and with the newer point. Those without a map of their own are left out.
    /// - Returns: Nil when a map is shorter than its revision: then no map can be trusted.
    public init?(start: Revision?, rest: [Revision]) {
        if let start {
            guard start.map.count >= start.objectCount else { return nil }
            states = (0..<start.objectCount).map { Self.first(start.map[$0], isStart: true) }
        }
        for revision in rest {
            guard revision.map.count >= revision.objectCount else { return nil }
            advance(to: revision)
        }
    }

    private mutating func advance(to revision: Revision) {
        for index in states.indices {
            let state = index < revision.objectCount ? revision.map[index] : .nonexistent
            states[index] = Self.next(states[index], state)
        }
        guard revision.objectCount > states.count else { return }
        for index in states.count..<revision.objectCount { states.append(Self.first(revision.map[index], isStart: false)) }
    }

    /// An object that was not known before.
    private static func first(_ state: ObjectState, isStart: Bool) -> UInt8 {
        switch state {
        case .nonexistent: 0
        case .pending: 3
        default: isStart ? 1 : 3
        }
    }

    private static func next(_ previous: UInt8, _ state: ObjectState) -> UInt8 {
        switch state {
        case .nonexistent: previous == 0 ? 0 : 2
        case .existsClean: previous == 1 ? 1 : 3
        default: 3
        }
    }

    /// The objects that were touched, ascending.
    public var touched: [UInt64] { states.indices.lazy.filter { states[$0] >= 2 }.map(UInt64.init) }

    /// The objects that are there at the end.
    public var presentCount: Int { states.reduce(0) { $0 + Int($1 & 1) } }
}

/// The requests a mailbox works on and has lately answered, so that a repeated one is recognised.
///
/// A sender whose notification timed out sends the same request again. While it is being worked on the answer must go to the
/// newest notification, since the older ones have expired; once it is answered it must not be done again, as other
/// requests may have come between. A pure value; `Ticket` is what answers are sent with.
public struct RequestLedger<Ticket> {
    /// Who asked, and the number they gave it.
    public struct Key: Hashable, Sendable {
        public let instance: String
        public let requestID: UInt64

        public init(instance: String, requestID: UInt64) {
            self.instance = instance
            self.requestID = requestID
        }
    }

    /// What a request that came in is.
    public enum Arrival: Hashable, Sendable {
        case new
        /// Being worked on; its ticket has been replaced.
        case repeated
        /// Answered before with this result.
        case answered(Int32)
    }

    /// Answers that are remembered.
    public let capacity: Int
    private var open: [Key: Ticket] = [:]
    private var results: [Key: Int32] = [:]
    /// The order of `results`, used as a ring once it is full.
    private var order: [Key] = []
    private var oldest = 0

    public init(capacity: Int = 4096) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Notes a request that came in and says what it is; only a new one is to be worked on.
    public mutating func arrived(_ key: Key, _ ticket: Ticket) -> Arrival {
        if let result = results[key] { return .answered(result) }
        return open.updateValue(ticket, forKey: key) == nil ? .new : .repeated
    }

    /// Notes a request's result and gives the ticket to answer with; nil when it is not open.
    public mutating func finished(_ key: Key, result: Int32) -> Ticket? {
        guard let ticket = open.removeValue(forKey: key) else { return nil }
        if order.count < capacity {
            order.append(key)
        } else {
            results[order[oldest]] = nil
            order[oldest] = key
            oldest = (oldest + 1) % capacity
        }
        results[key] = result
        return ticket
    }

    /// The requests being worked on.
    public var count: Int { open.count }
}

extension RequestLedger: Sendable where Ticket: Sendable {}

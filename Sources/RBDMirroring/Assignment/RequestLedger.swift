/// The requests a mailbox is working on, so that a repeated one is recognised.
///
/// A sender whose notification timed out sends the same request again; the answer must then go to the
/// newest notification, since the older ones have expired. A pure value; `Ticket` is what answers are sent with.
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

    private var open: [Key: Ticket] = [:]

    public init() {}

    /// Notes a request; false when it is one that is being worked on, and then only the ticket is replaced.
    public mutating func arrived(_ key: Key, _ ticket: Ticket) -> Bool {
        open.updateValue(ticket, forKey: key) == nil
    }

    /// Closes a request and gives the ticket to answer with; nil when it is not open.
    public mutating func finished(_ key: Key) -> Ticket? { open.removeValue(forKey: key) }

    /// The requests being worked on.
    public var count: Int { open.count }
}

extension RequestLedger: Sendable where Ticket: Sendable {}

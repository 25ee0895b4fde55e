internal import DequeModule
internal import Synchronization

/// Hands every event to every reader.
///
/// Publishing never waits. Each reader has a buffer of its own; when it is full the oldest event
/// goes, and the reader's next event is ``ReplicationEvent/Kind/eventsLost`` with the number lost.
public final class EventHub: Sendable {
    private struct State {
        var readers: [Int: EventMailbox] = [:]
        var nextID = 0
        var finished = false
    }

    private let state = Mutex(State())

    public init() {}

    deinit { finish() }

    /// Hands an event to all readers there are now.
    public func publish(_ event: ReplicationEvent) {
        let readers = state.withLock { Array($0.readers.values) }
        for reader in readers { reader.put(event) }
    }

    /// Begins reading: every event published from now on, until the reader is cancelled or the hub finishes.
    ///
    /// - Parameter buffer: Events kept for a reader that is behind; at least 1.
    public func events(buffer: Int = 256) -> Events {
        let mailbox = EventMailbox(capacity: max(1, buffer))
        let id = state.withLock { state -> Int? in
            guard !state.finished else { return nil }
            state.nextID += 1
            state.readers[state.nextID] = mailbox
            return state.nextID
        }
        guard let id else {
            mailbox.finish()
            return Events(lease: EventLease(mailbox: mailbox) {})
        }
        return Events(lease: EventLease(mailbox: mailbox) { [weak self] in self?.remove(id) })
    }

    /// Ends all readers after what they have buffered.
    public func finish() {
        let readers = state.withLock { state in
            state.finished = true
            defer { state.readers = [:] }
            return Array(state.readers.values)
        }
        for reader in readers { reader.finish() }
    }

    /// How many are reading.
    public var readerCount: Int { state.withLock { $0.readers.count } }

    private func remove(_ id: Int) { state.withLock { _ = $0.readers.removeValue(forKey: id) } }
}

extension EventHub {
    /// One reader's events, in order. For a single task; iterate it once.
    public struct Events: AsyncSequence, Sendable {
        let lease: EventLease
        public func makeAsyncIterator() -> Iterator { Iterator(lease: lease) }

        public struct Iterator: AsyncIteratorProtocol {
            let lease: EventLease
            /// The next event; nil when the hub has finished or the task is cancelled.
            public mutating func next() async -> ReplicationEvent? { await lease.mailbox.take() }
        }
    }
}

/// Unsubscribes when the last copy of a reader is gone.
final class EventLease: Sendable {
    let mailbox: EventMailbox
    private let end: @Sendable () -> Void
    init(mailbox: EventMailbox, end: @escaping @Sendable () -> Void) {
        self.mailbox = mailbox
        self.end = end
    }
    deinit { end() }
}

/// A bounded queue with one waiting reader.
final class EventMailbox: Sendable {
    private struct State {
        var queue: Deque<ReplicationEvent> = []
        var lost = 0
        var finished = false
        var waiter: CheckedContinuation<ReplicationEvent?, Never>?

        mutating func pop() -> ReplicationEvent? {
            guard lost == 0 else {
                defer { lost = 0 }
                return ReplicationEvent(.eventsLost, text: "\(lost) events were lost to a slow reader", count: lost)
            }
            return queue.popFirst()
        }
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    func put(_ event: ReplicationEvent) {
        let waiter = state.withLock { state -> CheckedContinuation<ReplicationEvent?, Never>? in
            guard !state.finished else { return nil }
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            if state.queue.count == capacity {
                state.queue.removeFirst()
                state.lost += 1
            }
            state.queue.append(event)
            return nil
        }
        waiter?.resume(returning: event)
    }

    func finish() {
        let waiter = state.withLock { state in
            state.finished = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    func take() async -> ReplicationEvent? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> ReplicationEvent?? in
                    if let event = state.pop() { return event }
                    if state.finished || Task.isCancelled || state.waiter != nil { return .some(nil) }
                    state.waiter = continuation
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: nil)
        }
    }
}

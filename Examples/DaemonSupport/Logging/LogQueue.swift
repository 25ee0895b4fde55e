internal import Dispatch
internal import Synchronization

/// Lines on their way to the writer: bounded, so that a stuck disk costs lines and not memory or time.
final class LogQueue: Sendable {
    enum Item: Sendable {
        /// A line and whether it is an error.
        case line(String, isError: Bool)
        /// Something to do after everything before it has been written, and whom to tell.
        case wish(Wish, @Sendable () -> Void)
    }
    enum Wish {
        /// Open the file anew.
        case reopen
        /// Nothing: the teller wants to know that all before is written.
        case flush
        /// Close the file and end the writer.
        case stop
    }
    private struct State {
        var items: [Item] = []
        var bytes = 0
        var lost = 0
        var isClosed = false
    }

    private let limit: Int
    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)

    /// - Parameter limit: How many bytes may wait.
    init(limit: Int) { self.limit = limit }

    /// Adds a line, or counts it as lost where there is no room.
    func put(_ line: String, isError: Bool) {
        let isFirst = state.withLock { state in
            guard state.bytes + line.utf8.count <= limit else {
                state.lost += 1
                return false
            }
            state.bytes += line.utf8.count
            state.items.append(.line(line, isError: isError))
            return state.items.count == 1
        }
        if isFirst { filled.signal() }
    }

    /// Adds a wish; there is always room for one. After the wish to stop it is reported at once.
    func put(_ wish: Wish, done: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock { state in
            defer { if wish == .stop { state.isClosed = true } }
            if !state.isClosed { state.items.append(.wish(wish, done)) }
            return state.isClosed
        }
        if isClosed { done() } else { filled.signal() }
    }

    /// Waits until there is something and takes all of it, with the number of lines lost so far.
    func take() -> (items: [Item], lost: Int) {
        while true {
            filled.wait()
            let taken = state.withLock { state in
                defer { (state.items, state.bytes, state.lost) = ([], 0, 0) }
                return (state.items, state.lost)
            }
            if !taken.0.isEmpty { return taken }
        }
    }
}

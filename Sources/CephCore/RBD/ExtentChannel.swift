internal import Glibc

/// Hands extents from a thread that finds them to a task that wants them, a bounded number at a time.
final class ExtentChannel: Sendable {
    typealias Page = Result<[Image.Extent], CephError>

    fileprivate struct State: Sendable {
        var found: [Image.Extent] = []
        /// Set at the end: nil for a good one.
        var end: CephError??
        var isCancelled = false
        var consumer: UnsafeContinuation<Page, Never>?
    }

    private let state = Locked(State())
    /// Room for extents; the finder waits on it.
    private let room: UnsafeHandle

    init(room count: Int = 4096) {
        let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
        sem_init(semaphore, 0, CUnsignedInt(count))
        room = UnsafeHandle(pointer: semaphore)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    private var semaphore: UnsafeMutablePointer<sem_t> { room.pointer.assumingMemoryBound(to: sem_t.self) }

    /// Adds an extent, waiting for room; false when nobody wants it any more.
    func push(_ extent: Image.Extent) -> Bool {
        while sem_wait(semaphore) != 0 {}
        let isWanted = state.withLock { state in
            guard !state.isCancelled else { return false }
            state.found.append(extent)
            state.deliver(semaphore: room)
            return true
        }
        // librbd goes on with what it has begun: nothing may wait any more.
        if !isWanted { sem_post(semaphore) }
        return isWanted
    }

    /// Says that there is nothing more, and why.
    func finish(_ error: CephError?) {
        state.withLock { state in
            state.end = .some(error)
            state.deliver(semaphore: room)
        }
    }

    /// All that was found since; waits for the first. Empty at the end.
    func next() async -> Page {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { consumer in
                state.withLock { state in
                    state.consumer = consumer
                    state.deliver(semaphore: room)
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// Ends the search: nobody wants more.
    func cancel() {
        state.withLock { state in
            state.isCancelled = true
            state.deliver(semaphore: room)
        }
        sem_post(semaphore)
    }
}

extension ExtentChannel.State {
    /// Gives a waiting consumer what there is.
    fileprivate mutating func deliver(semaphore: UnsafeHandle) {
        guard let consumer else { return }
        let page: ExtentChannel.Page
        if isCancelled {
            page = .failure(CephError(code: ECANCELED, operation: "rbd_diff_iterate2"))
        } else if !found.isEmpty {
            page = .success(found)
            for _ in found { sem_post(semaphore.pointer.assumingMemoryBound(to: sem_t.self)) }
            found = []
        } else if let end {
            page = end.map { .failure($0) } ?? .success([])
        } else {
            return
        }
        self.consumer = nil
        consumer.resume(returning: page)
    }
}

internal import Glibc

/// Runs a closure on a thread of its own, away from Swift's cooperative pool.
package func startThread(_ body: sending @escaping () -> Void) {
    let box = Unmanaged.passRetained(ThreadBody(run: body))
    var thread = pthread_t()
    let failure = pthread_create(&thread, nil, { argument in
        let body = Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue()
        body.run()
        return nil
    }, box.toOpaque())
    precondition(failure == 0, "pthread_create: \(String(cString: strerror(failure)))")
    pthread_detach(thread)
}

private final class ThreadBody {
    let run: () -> Void

    init(run: @escaping () -> Void) {
        self.run = run
    }
}

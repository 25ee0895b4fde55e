internal import CCeph
internal import Glibc

/// What a librbd call does when it ends, on one of Ceph's threads.
final class ImageCallback: Sendable {
    private let ended: @Sendable (Int) -> Void

    init(_ ended: @escaping @Sendable (Int) -> Void) { self.ended = ended }

    /// Starts the call; `start` gets its completion.
    func begin(_ start: (rbd_completion_t) -> CInt) {
        let argument = Unmanaged.passRetained(self).toOpaque()
        var completion: rbd_completion_t?
        rbd_aio_create_completion(argument, { completion, argument in
            let value = Int(rbd_aio_get_return_value(completion))
            rbd_aio_release(completion)
            Unmanaged<ImageCallback>.fromOpaque(argument!).takeRetainedValue().ended(value)
        }, &completion)
        let refused = start(completion!)
        if refused < 0 {
            rbd_aio_release(completion)
            Unmanaged<ImageCallback>.fromOpaque(argument).takeRetainedValue().ended(Int(refused))
        }
    }
}

extension Image {
    /// Awaits one asynchronous librbd call that librados ends within the object deadline.
    ///
    /// The continuation itself is the callback's argument.
    @discardableResult
    func completion(
        of operation: String, _ start: (rbd_completion_t) -> CInt
    ) async throws(CephError) -> Int {
        try gate.enter(operation, on: subject)
        let result = await withUnsafeContinuation { (waiter: UnsafeContinuation<Int, Never>) in
            var completion: rbd_completion_t?
            rbd_aio_create_completion(unsafeBitCast(waiter, to: UnsafeMutableRawPointer.self), { completion, argument in
                let value = Int(rbd_aio_get_return_value(completion))
                rbd_aio_release(completion)
                unsafeBitCast(argument, to: UnsafeContinuation<Int, Never>.self).resume(returning: value)
            }, &completion)
            let refused = start(completion!)
            if refused < 0 {
                rbd_aio_release(completion)
                waiter.resume(returning: Int(refused))
            }
        }
        gate.leave()
        return try check(CInt(clamping: result), operation, on: subject)
    }

    /// Awaits an asynchronous librbd call that may wait for other clients, at most for the image deadline.
    ///
    /// - Parameters:
    ///   - memory: What C uses until the call has ended, which may be after its deadline.
    ///   - tooLate: Gets the call's value when it ends after its deadline.
    @discardableResult
    func completion(
        of operation: String, using memory: some AnyObject & Sendable,
        tooLate: @escaping @Sendable (Int) -> Void = { _ in }, _ start: (rbd_completion_t) -> CInt
    ) async throws(CephError) -> Int {
        try gate.enter(operation, on: subject)
        let gate = gate
        let wait = AbandonableWait(tooLate: tooLate)
        let code = await wait.run(within: pool.cluster.deadlines.image) {
            ImageCallback { code in
                withExtendedLifetime(memory) { wait.finish(code) }
                gate.leave()
            }.begin(start)
        }
        guard let code else { throw .timeout(operation, on: subject) }
        return try check(CInt(clamping: code), operation, on: subject)
    }

    /// Runs a librbd call that blocks on a thread of its own.
    @discardableResult
    func lend<T: Sendable>(
        _ operation: String, tooLate: @escaping @Sendable (T) -> Void = { _ in },
        _ body: @escaping @Sendable (UnsafeMutableRawPointer) throws(CephError) -> T
    ) async throws(CephError) -> T {
        let handle = handle
        return try await LentThread.run(
            operation, on: subject, in: gate, within: pool.cluster.deadlines.image, tooLate: tooLate
        ) { () throws(CephError) in try body(handle.pointer) }
    }

    /// Runs a librbd call that blocks and only says whether it worked.
    func perform(
        _ operation: String, on detail: String = "", _ body: @escaping @Sendable (UnsafeMutableRawPointer) -> CInt
    ) async throws(CephError) {
        let place = detail.isEmpty ? subject : "\(subject) \(detail)"
        try await lend(operation) { (image) throws(CephError) in try check(body(image), operation, on: place) }
    }
}

internal import CCeph

extension Image {
    /// Told how far a long operation is; called on a lent thread.
    public typealias Progress = @Sendable (_ done: UInt64, _ total: UInt64) -> Void

    /// Runs a librbd call that blocks and reports progress, which begins the deadline anew.
    func performMarking(
        _ operation: String, on detail: String = "", _ progress: Progress?,
        _ body: @escaping @Sendable (UnsafeMutableRawPointer, librbd_progress_fn_t, UnsafeMutableRawPointer) -> CInt
    ) async throws(CephError) {
        let handle = handle
        try await ProgressReporter.run(
            operation, on: subject + detail, in: gate, within: pool.cluster.deadlines.image, progress
        ) { body(handle.pointer, $0, $1) }
    }
}

/// Carries librbd's progress to the deadline and to the caller.
final class ProgressReporter: Sendable {
    private let wait: AbandonableWait
    private let progress: Image.Progress?

    private init(_ wait: AbandonableWait, _ progress: Image.Progress?) {
        self.wait = wait
        self.progress = progress
    }

    /// Runs a call that blocks on a lent thread, with the callback and its argument.
    static func run(
        _ operation: String, on subject: String, in gate: CallGate, within deadline: Duration, _ progress: Image.Progress?,
        _ body: @escaping @Sendable (librbd_progress_fn_t, UnsafeMutableRawPointer) -> CInt
    ) async throws(CephError) {
        try await LentThread.run(operation, on: subject, in: gate, within: deadline) { (wait: AbandonableWait) throws(CephError) in
            let reporter = ProgressReporter(wait, progress)
            let code = withExtendedLifetime(reporter) {
                body({ done, total, argument in
                    Unmanaged<ProgressReporter>.fromOpaque(argument!).takeUnretainedValue().report(done, total)
                    return 0
                }, Unmanaged.passUnretained(reporter).toOpaque())
            }
            try check(code, operation, on: subject)
        }
    }

    private func report(_ done: UInt64, _ total: UInt64) {
        wait.mark()
        progress?(done, total)
    }
}

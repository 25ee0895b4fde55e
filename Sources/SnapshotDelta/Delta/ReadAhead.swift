/// Results of jobs in the order of the jobs, of which a limited number runs ahead of the reader.
final class ReadAhead<Job: Sendable, Output: Sendable> {
    private let width: Int
    private var jobs: AnyIterator<Job>
    private let perform: @Sendable (Job) async throws -> Output
    private var running: [Task<Output, any Error>] = []

    init(width: Int, _ jobs: some Sequence<Job>, _ perform: @escaping @Sendable (Job) async throws -> Output) {
        self.width = max(width, 1)
        self.jobs = AnyIterator(jobs.makeIterator())
        self.perform = perform
    }

    deinit { for task in running { task.cancel() } }

    /// The next job's result; nil after the last.
    ///
    /// After a failure nothing runs any more and nothing comes.
    func next() async throws -> Output? {
        while running.count < width, let job = jobs.next() {
            running.append(Task { [perform] in try await perform(job) })
        }
        guard let first = running.first else { return nil }
        do {
            let output = try await withTaskCancellationHandler { try await first.value } onCancel: { first.cancel() }
            running.removeFirst()
            return output
        } catch {
            for task in running { task.cancel() }
            running = []
            jobs = AnyIterator { nil }
            throw error
        }
    }
}

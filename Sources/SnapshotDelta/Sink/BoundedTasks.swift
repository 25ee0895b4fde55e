/// Runs jobs that `body` hands in, a limited number at a time; handing in waits for room.
///
/// - Parameter body: Gets a function that hands a job in, and one that awaits all of them so far.
/// - Throws: The first failure, of `body` or of a job, when nothing runs any more.
func withBoundedTasks(
    _ width: Int,
    _ body: (
        _ add: (@escaping @Sendable () async throws -> Void) async throws -> Void, _ settle: () async throws -> Void
    ) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        var running = 0
        func settle(downTo count: Int) async throws {
            while running > count {
                try await group.next()
                running -= 1
            }
        }
        func add(_ job: @escaping @Sendable () async throws -> Void) async throws {
            try await settle(downTo: max(width, 1) - 1)
            try Task.checkCancellation()
            group.addTask { try await job() }
            running += 1
        }
        try await body(add) { try await settle(downTo: 0) }
        try await settle(downTo: 0)
    }
}

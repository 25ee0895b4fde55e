import CephSandbox

/// A mirror daemon, stock or ours, for tests that treat both alike.
enum AnyDaemon {
    case stock(SandboxDaemon)
    case ours(MirrorDaemon)

    /// Whose daemon it is.
    enum Make: CaseIterable { case stock, ours }

    /// Asks the daemon to end, as an operator does.
    func terminate() async throws {
        switch self {
        // It ends with 1 whatever happened.
        case .stock(let daemon): try await daemon.terminate()
        case .ours(let daemon): try await daemon.terminate()
        }
    }

    var isRunning: Bool {
        switch self {
        case .stock(let daemon): daemon.isRunning
        case .ours(let daemon): daemon.process.isRunning
        }
    }

    func logTail() -> String {
        switch self {
        case .stock(let daemon): daemon.logTail()
        case .ours(let daemon): daemon.logTail()
        }
    }

    /// Runs the body with the daemon frozen until somebody asks for an image of its site, so that it comes to nothing before.
    ///
    /// - Parameter log: Of that site, begun before: a daemon that is frozen for long is taken for dead.
    func whenAsked(_ log: MutationLog, _ body: @escaping @Sendable () async throws -> Void) async throws {
        var log = log
        try await freeze(true)
        _ = try log.next()
        async let asking: Void = body()
        do { try await log.waitForNotification() } catch {
            try await freeze(false)
            // Whoever failed at once has asked nobody.
            try await asking
            throw error
        }
        try await freeze(false)
        try await asking
    }

    private func freeze(_ isToBeFrozen: Bool) async throws {
        switch self {
        case .stock(let daemon): if isToBeFrozen { try await daemon.freeze() } else { try await daemon.thaw() }
        case .ours(let daemon): if isToBeFrozen { try await daemon.process.freeze() } else { try await daemon.process.thaw() }
        }
    }

    func kill() async throws {
        switch self {
        case .stock(let daemon): try await daemon.kill()
        case .ours(let daemon): try await daemon.kill()
        }
    }

    /// - Throws: ``ToolFailure`` if our daemon has logged a word; a stock one is taken as it is.
    func expectNever(_ word: String) throws {
        guard case .ours(let daemon) = self else { return }
        let lines = daemon.logTail(lines: 100_000).split(separator: "\n").filter { $0.contains(word) }
        if let line = lines.first { throw ToolFailure(tool: "rbd-mirror", text: "\(line)") }
    }
}

extension Scene {
    /// Starts a daemon of either make under the same user.
    func start(_ make: AnyDaemon.Make, on site: Site, options: [String: String] = [:]) async throws -> AnyDaemon {
        switch make {
        case .stock: .stock(try await startStock(on: site, "either", options: options))
        case .ours: .ours(try await startDaemon(on: site, "either", options: options.flatMap { ["--\($0)", $1] }))
        }
    }
}

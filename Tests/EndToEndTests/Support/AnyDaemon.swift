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

    /// - Throws: ``ToolFailure`` if our daemon has logged a word; a stock one is taken as it is.
    func expectNever(_ word: String) throws {
        guard case .ours(let daemon) = self else { return }
        let lines = daemon.logTail(lines: 100_000).split(separator: "\n").filter { $0.contains(word) }
        if let line = lines.first { throw ToolFailure(tool: "rbd-mirror", text: "\(line)") }
    }
}

extension Scene {
    /// Starts a daemon of either make under the same user.
    func start(_ make: AnyDaemon.Make, on site: Site) async throws -> AnyDaemon {
        switch make {
        case .stock: .stock(try await startStock(on: site, "either"))
        case .ours: .ours(try await startDaemon(on: site, "either"))
        }
    }
}

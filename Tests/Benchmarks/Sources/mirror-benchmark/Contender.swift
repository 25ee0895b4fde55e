import CephSandbox
import SystemPackage

/// A mirror daemon that is measured.
struct Contender {
    enum Kind {
        /// The executable at a path.
        case ours(String)
        case stock(SandboxBinaries)
    }

    let name: String
    let kind: Kind

    /// Starts it on site B, which it replicates to.
    func start(on pair: SandboxPair) async throws -> RunningDaemon {
        let user = "client.rbd-mirror.bench"
        switch kind {
        case .stock(let binaries):
            return .stock(try await pair.siteB.startRBDMirror("bench", binaries: binaries))
        case .ours(let path):
            try await pair.siteB.createUser(user, ["mon": "profile rbd-mirror", "osd": "profile rbd"])
            let log = pair.siteB.folder.appending("\(user).log")
            return .ours(try SandboxProcess.start(
                path,
                ["-c", pair.siteB.configurationFile.string, "--name", user, "-f", "--log-file", log.string, "--debug-rbd-mirror", "1"],
                log: pair.siteB.folder.appending("\(user).out")), log: log)
        }
    }
}

enum RunningDaemon {
    case ours(SandboxProcess, log: FilePath)
    case stock(SandboxDaemon)

    var processID: Int32 {
        switch self {
        case .ours(let process, _): process.processID
        case .stock(let daemon): daemon.processID ?? 0
        }
    }

    /// Asks it to end, so that the next one need not wait for what a dead one holds.
    func terminate() async throws {
        switch self {
        case .ours(let process, _): _ = try await process.terminate()
        case .stock(let daemon):
            try await daemon.terminate()
            try await daemon.stop()
        }
    }

    func stop() async throws {
        switch self {
        case .ours(let process, _): try await process.kill()
        case .stock(let daemon): try await daemon.stop()
        }
    }
}

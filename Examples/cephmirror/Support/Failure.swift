import CephCore
import JournalReplay

/// What the tool could not do, though nothing is wrong with the clusters.
struct Failure: Error, CustomStringConvertible {
    let code: Int32
    let description: String

    init(_ code: Int32, _ description: String) { (self.code, self.description) = (code, description) }

    /// Nil for errors of the command line.
    static func exitCode(of error: any Error) -> Int32? {
        switch error {
        case let error as Failure: error.code
        case let error as CephError: error.code
        case let damage as JournalDamage: [.missingEntry, .lostEnd].contains(damage.kind) ? 42 : 74
        case let failure as JournalArchive.Failure: failure.code == .gap ? 42 : failure.code == .damaged ? 74 : 22
        case is JournalToolError, is JournalReplayError: 22
        // As a shell says of what SIGINT ended.
        case is CancellationError: 130
        default: nil
        }
    }
}

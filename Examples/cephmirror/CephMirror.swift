import ArgumentParser
import Foundation

/// The operator's tool.
@main
struct CephMirror: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cephmirror", abstract: "Looks after the mirrors of Ceph clusters.",
        discussion: """
            Exit codes: 0 done, 64 wrong usage, 74 damaged data, 42 missing entries, 22 something was refused; what Ceph refused ends \
            with the number of its error, as in 2 for what is not there.

            Completion: cephmirror --generate-completion-script bash|zsh|fish
            """,
        subcommands: [JournalCommands.self])

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        do {
            try await Interrupts.cancelling {
                var command = try parseAsRoot()
                if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
            }
        } catch {
            guard let code = Failure.exitCode(of: error) else { exit(withError: error) }
            FileHandle.standardError.write(Data("cephmirror: \(error)\n".utf8))
            Foundation.exit(code)
        }
    }
}

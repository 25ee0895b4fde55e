import CephSandbox
import Dispatch
import Glibc

/// Two Ceph clusters on this machine, an image that is mirrored between them by our `rbd-mirror`, and a move of its work from one
/// site to the other and back. Exits with 0 if everything held.
@main
struct MirrorDemo {
    static func main() async {
        let terminal = Terminal()
        let signals = clearUpWhenInterrupted(terminal)
        defer { for signal in signals { signal.cancel() } }
        do {
            let ledger = try await Story.tell(on: terminal)
            terminal.line("\n\(ledger.table)\n\nEverything held.")
        } catch {
            terminal.line("\nFAILED: \(error)")
            exit(1)
        }
    }

    /// Ctrl-C ends the process in the ordinary way, in which the sandbox stops its clusters and removes their files.
    private static func clearUpWhenInterrupted(_ terminal: Terminal) -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                terminal.line("\nInterrupted: stopping the clusters.")
                exit(128 + number)
            }
            source.activate()
            return source
        }
    }
}

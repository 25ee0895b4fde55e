import Glibc
import Synchronization

/// Standard output: a progress bar where it is a terminal, plain lines where it is not.
final class Terminal: Sendable {
    /// Whether lines may be written over.
    let isInteractive: Bool
    private let start = ContinuousClock.now
    /// What is shown and not yet ended by a line break.
    private let open = Mutex<Open>(Open())

    private struct Open {
        var text = ""
        var shownAt: ContinuousClock.Instant?
    }

    init() {
        let kind = getenv("TERM").map { String(cString: $0) } ?? "dumb"
        isInteractive = isatty(STDOUT_FILENO) == 1 && kind != "dumb"
    }

    /// Writes a line, in the place of the progress bar if there is one.
    func line(_ text: String) {
        open.withLock { open in
            write(isInteractive && !open.text.isEmpty ? "\r\u{1B}[K\(text)\n" : "\(text)\n")
            open = Open()
        }
    }

    /// Shows how far something has come: ten times a second over itself on a terminal, else a line every five seconds.
    func progress(_ title: String, percent: Int, _ remark: String) {
        open.withLock { open in
            let pause: Duration = isInteractive ? .milliseconds(100) : .seconds(5)
            guard open.shownAt.map({ $0.duration(to: .now) > pause }) ?? isInteractive else {
                if open.shownAt == nil { open.shownAt = .now }
                return
            }
            open.shownAt = .now
            open.text = "     \(title.padded(34)) [\(Self.bar(percent))] \("\(percent)".leftPadded(3)) %  \(remark)"
            write(isInteractive ? "\r\u{1B}[K\(open.text)" : "\(open.text)\n")
        }
    }

    static func bar(_ percent: Int, width: Int = 30) -> String {
        let filled = max(0, min(width, percent * width / 100))
        return String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    }

    private func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 || (count < 0 && errno == EINTR) else { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}

extension String {
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
    func leftPadded(_ width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
}

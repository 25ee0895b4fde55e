import Foundation
import Synchronization

/// What is written to standard output and to whoever watches.
enum Output {
    static func json(_ value: some Encodable, pretty: Bool = true) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = pretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        try line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// - Throws: Where nobody reads any more.
    static func line(_ text: String) throws { try FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8)) }

    static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}

/// How far long work is, on a terminal: one line, written anew a few times a second.
final class ProgressLine: Sendable {
    private let state = Mutex((shown: ContinuousClock.now - .seconds(1), text: ""))
    private let isShown = isatty(STDERR_FILENO) == 1

    func show(_ text: String) {
        guard isShown else { return }
        let isDue = state.withLock { state in
            state.text = text
            guard state.shown.duration(to: .now) > .milliseconds(200) else { return false }
            state.shown = .now
            return true
        }
        if isDue { write(text) }
    }

    func end() {
        let text = state.withLock(\.text)
        guard isShown, !text.isEmpty else { return }
        write(text)
        FileHandle.standardError.write(Data("\n".utf8))
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data("\r\u{1b}[K\(text)".utf8)) }
}

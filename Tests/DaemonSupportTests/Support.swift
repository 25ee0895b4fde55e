import AdminSocket
import Foundation
import Testing

/// A folder that goes away with its owner; short, for socket paths hold 107 bytes.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/dsup-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    subscript(name: String) -> String { path + "/" + name }

    func text(_ name: String) -> String { (try? String(contentsOfFile: self[name], encoding: .utf8)) ?? "" }
    func lines(_ name: String) -> [String] { text(name).split(separator: "\n").map(String.init) }
}

/// Waits for a condition with a deadline.
func eventually(within limit: Duration = .seconds(10), _ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}

/// How a program ended and what it said.
struct Outcome: Sendable { let status: Int32, output: String, errors: String }

/// Runs a program to its end on a thread of its own.
func run(_ program: String, _ arguments: [String], environment: [String: String] = [:], folder: ScratchFolder) async throws
    -> Outcome
{
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Outcome, any Error>) in
        startThread {
            done.resume(with: Result {
                let process = Process()
                process.executableURL = URL(filePath: program)
                process.arguments = arguments
                process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
                // Files, not pipes: a daemon left in the background would keep a pipe open.
                let names = ["out", "err"].map { folder["\($0)-\(UUID().uuidString.prefix(6))"] }
                for name in names { _ = FileManager.default.createFile(atPath: name, contents: nil) }
                process.standardOutput = FileHandle(forWritingAtPath: names[0])
                process.standardError = FileHandle(forWritingAtPath: names[1])
                try process.run()
                process.waitUntilExit()
                let texts = try names.map { try String(contentsOfFile: $0, encoding: .utf8) }
                return Outcome(status: process.terminationStatus, output: texts[0], errors: texts[1])
            })
        }
    }
}

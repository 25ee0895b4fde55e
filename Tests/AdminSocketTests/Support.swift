import Foundation
import ServiceLifecycle
import Testing

@testable import AdminSocket

let sampleVersion = AdminVersion(version: "16.2.15", release: "pacific", gitVersion: "618f44089")

/// A folder that goes away with its owner; short, for socket paths hold 107 bytes.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/asok-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    subscript(name: String) -> String { path + "/" + name }
}

/// Runs a server for the duration of a closure and stops it in good order.
func withServer(
    limits: AdminSocketLimits = .init(), commands: [AdminCommand] = [],
    _ body: @Sendable @escaping (AdminSocketServer, String) async throws -> Void
) async throws {
    let folder = try ScratchFolder()
    let path = folder["d.asok"]
    let server = AdminSocketServer(version: sampleVersion, limits: limits)
    server.register(commands)
    try server.open(at: path)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        do { try await body(server, path) } catch { group.cancelAll(); throw error }
        group.cancelAll()
        try await group.waitForAll()
    }
    #expect(!FileManager.default.fileExists(atPath: path), "the socket's file is removed at the end")
}

/// Runs blocking work on a thread of its own.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<R, any Error>) in
        startThread { done.resume(with: Result { try body() }) }
    }
}

struct ClientError: Error { let what: String, code: Int32 }

/// A raw client; every call may block for ten seconds at most.
final class RawClient: @unchecked Sendable {
    let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw ClientError(what: "connect", code: errno) }
    }

    deinit { close(descriptor) }

    /// False if the other side has gone.
    @discardableResult func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    func finishWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Everything until the other side closes; throws if it does not within ten seconds.
    func readAll() throws -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count == 0 || (count < 0 && errno == ECONNRESET) { return all }
            if count < 0 { throw ClientError(what: "recv", code: errno) }
            all += chunk[..<count]
        }
    }
}

/// Sends bytes and reads the whole answer.
func exchange(_ path: String, _ bytes: [UInt8], halfClose: Bool = false) async throws -> [UInt8] {
    try await onThread {
        let client = try RawClient(path)
        client.write(bytes)
        if halfClose { client.finishWriting() }
        return try client.readAll()
    }
}

/// The text of a framed reply; nil if there is none or its length is wrong.
func text(ofFrame bytes: [UInt8]) -> String? {
    guard bytes.count >= 4 else { return nil }
    let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count == 4 + length else { return nil }
    return String(decoding: bytes[4...], as: UTF8.self)
}

func ask(_ path: String, _ request: String) async throws -> String? {
    text(ofFrame: try await exchange(path, Array(request.utf8) + [0]))
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

internal import Foundation
internal import Glibc
public import SystemPackage

/// Asks a daemon of Ceph, or one that serves the same protocol, through its admin socket.
///
/// Costs far less than `ceph daemon`, so it suits waiting for a daemon's state.
public struct SandboxAdminSocket: Hashable, Sendable {
    public let path: FilePath

    public init(_ path: FilePath) { self.path = path }

    /// The value of a command's argument: a text, or a list where the command takes many.
    public struct Argument: Hashable, Sendable, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral {
        let json: String
        public init(_ text: String) { json = jsonString(text) }
        public init(_ list: [String]) { json = "[\(list.map(jsonString).joined(separator: ", "))]" }
        public init(stringLiteral text: String) { self.init(text) }
        public init(arrayLiteral list: String...) { self.init(list) }
    }

    /// Sends a command and returns the reply, which is JSON for most commands.
    ///
    /// - Parameters:
    ///   - prefix: The command's words, for example `mon_status` or `config set`.
    ///   - arguments: The command's arguments by name; `config set` takes a list as its `val`.
    ///   - timeout: The longest silence of the daemon; a frozen daemon is given up after it.
    /// - Throws: `SandboxError.systemCall` if nobody listens or the answer stays out, `.commandFailed` if the daemon refuses.
    @discardableResult
    public func ask(_ prefix: String, _ arguments: [String: Argument] = [:], timeout: Duration = .seconds(5)) async throws -> String {
        // A daemon may take its time, so the wait has a thread of its own.
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result { try exchange(prefix, arguments, timeout) }) }
            thread.stackSize = 1 << 18
            thread.start()
        }
    }

    private func exchange(_ prefix: String, _ arguments: [String: Argument], _ timeout: Duration) throws(SandboxError) -> String {
        let socket = try connect(timeout)
        let command = arguments.merging(["prefix": Argument(prefix), "format": "json"]) { $1 }
        let pairs = command.sorted { $0.key < $1.key }.map { "\(jsonString($0.key)): \($0.value.json)" }
        let request = Array("{\(pairs.joined(separator: ", "))}".utf8) + [0]
        let sent = send(socket.number, request, request.count, Int32(MSG_NOSIGNAL))
        guard sent == request.count else { throw .systemCall("send", path.string) }
        let reply = try socket.readToEnd()
        let length = reply.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard reply.count >= 4, reply.count - 4 == length else {
            throw SandboxError(.unexpectedOutput, "The reply of \(path) to `\(prefix)` breaks off.")
        }
        let text = String(decoding: reply.dropFirst(4), as: UTF8.self)
        guard !text.hasPrefix("ERROR: ") else {
            throw SandboxError(.commandFailed, "The daemon at \(path) refused `\(prefix)`.", command: [prefix], standardError: text)
        }
        return text
    }

    private func connect(_ timeout: Duration) throws(SandboxError) -> Descriptor {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = Descriptor(try checked(Glibc.socket(AF_UNIX, kind, 0), "socket"))
        var limit = timeval(tv_sec: Int(timeout.components.seconds), tv_usec: Int(timeout.components.attoseconds / 1_000_000_000_000))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket.number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.string.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SandboxError(.invalidRequest, "The path \(path) is too long for a socket.")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try checked(result, "connect", path.string)
        return socket
    }
}

/// A JSON string.
func jsonString(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
        switch scalar {
        case "\"", "\\": "\\\(scalar)"
        case _ where scalar.value < 0x20: "\\u00\(scalar.value < 16 ? "0" : "")\(String(scalar.value, radix: 16))"
        default: "\(scalar)"
        }
    }
    return "\"\(escaped.joined())\""
}

internal import Glibc

/// Asks whoever serves an admin socket.
public struct AdminSocketClient: Sendable, Hashable {
    public let path: String

    public init(path: String) { self.path = path }

    /// Sends a command without parameters and awaits the document it answers with.
    ///
    /// - Parameter limit: The longest silence; the answer may take longer than that while it comes in.
    public func ask(_ prefix: String, silence limit: Duration = .seconds(10)) async throws(AdminSocketError) -> JSONValue {
        let answer = await withCheckedContinuation { done in
            startThread { done.resume(returning: Result { () throws(AdminSocketError) in try exchange(prefix, limit) }) }
        }
        guard let document = JSONValue.parse(try answer.get()) else { throw AdminSocketError(.noDocument, path: path) }
        return document
    }

    private func exchange(_ prefix: String, _ limit: Duration) throws(AdminSocketError) -> [UInt8] {
        guard path.utf8.count <= maximumPathLength else { throw AdminSocketError(.pathTooLong, path: path) }
        let descriptor = try check(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        defer { close(descriptor) }
        var time = timeval(tv_sec: Int(limit / .seconds(1)), tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            _ = setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
        _ = try check(withSocketAddress(path) { connect(descriptor, $0, $1) })
        let request = Array(JSONValue.object([.init("prefix", .string(prefix))]).rendered().utf8) + [0]
        _ = try check(send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)))
        let header = try receive(4, from: descriptor)
        return try receive(header.reduce(0) { $0 << 8 | Int($1) }, from: descriptor)
    }

    private func receive(_ count: Int, from descriptor: Int32) throws(AdminSocketError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < count {
            let received = try check(recv(descriptor, &chunk, min(chunk.count, count - bytes.count), 0))
            guard received > 0 else { throw AdminSocketError(.noDocument, path: path) }
            bytes += chunk[..<received]
        }
        return bytes
    }

    private func check<Value: SignedInteger>(_ result: Value) throws(AdminSocketError) -> Value {
        guard result >= 0 else { throw AdminSocketError(.system, path: path, errno: errno) }
        return result
    }
}

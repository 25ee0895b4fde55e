internal import Glibc

/// A run of free ports on loopback, held against other sandboxes of any process.
///
/// The first port is bound for as long as the block is held: the kernel is the lock, and lets go of it however the process ends.
/// Blocks lie below the range from which the kernel gives ports to outgoing connections.
final class PortBlock: Sendable {
    static let size = 128
    private static let range = 10_240..<32_768

    private let holder: Int32
    private let base: Int

    /// The two ports of the monitor: for protocol v2, and v1.
    var monitor: (v2: Int, v1: Int) { (base + 1, base + 2) }
    /// The ports of the other daemons.
    var others: ClosedRange<Int> { base + 3...base + Self.size - 1 }

    private init(holder: Int32, base: Int) {
        self.holder = holder
        self.base = base
    }

    deinit { close(holder) }

    /// Takes a block in which every port is free.
    static func take() throws(SandboxError) -> PortBlock {
        let bases = Array(stride(from: range.lowerBound, to: range.upperBound, by: size)).shuffled()
        for base in bases {
            guard let holder = bind(base, sharing: false) else { continue }
            let block = PortBlock(holder: holder, base: base)
            if (base + 1..<base + size).allSatisfy(isFree) { return block }
        }
        throw SandboxError(
            .systemCall, "No \(size) free ports in a row on 127.0.0.1 from \(range.lowerBound) to \(range.upperBound).",
            advice: "Stop other test runs.")
    }

    private static func isFree(_ port: Int) -> Bool {
        guard let socket = bind(port, sharing: true) else { return false }
        close(socket)
        return true
    }

    /// Binds a port. Sharing looks past the remains of closed connections, as Ceph's daemons do.
    private static func bind(_ port: Int, sharing: Bool) -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        var on: Int32 = sharing ? 1 : 0
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        if result == 0 { return socket }
        close(socket)
        return nil
    }
}

internal import Foundation
internal import Glibc

/// An open file descriptor, closed with its owner.
struct Descriptor: ~Copyable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// Opens a file; it is not passed on to child processes by exec.
    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(SandboxError) -> Descriptor {
        Descriptor(try checked(Glibc.open(path, flags | O_CLOEXEC, mode), "open", path))
    }

    /// Makes a file that has no name any more.
    static func unnamed(in folder: String, holding content: [UInt8] = []) throws(SandboxError) -> Descriptor {
        let path = "\(folder)/\(randomName())"
        let file = try open(path, O_RDWR | O_CREAT | O_EXCL)
        unlink(path)
        try file.write(content)
        lseek(file.number, 0, SEEK_SET)
        return file
    }

    /// Writes all of the bytes.
    func write(_ bytes: [UInt8]) throws(SandboxError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress! + done, $0.count - done) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .systemCall("write") }
            done += count
        }
    }

    /// Reads from the current place to the end.
    func readToEnd() throws(SandboxError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(number, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .systemCall("read") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }
}

/// A file name nobody else picks, short since the paths of sockets are limited to 107 bytes.
func randomName() -> String {
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    return String((0..<8).map { _ in letters.randomElement()! })
}

func randomUUID() -> String { UUID().uuidString.lowercased() }

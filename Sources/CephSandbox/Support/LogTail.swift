internal import Glibc
internal import SystemPackage

enum LogTail {
    /// Reads the last lines of a file; empty if it cannot be read.
    static func read(_ path: FilePath, lines: Int) -> String {
        guard let file = try? Descriptor.open(path.string, O_RDONLY) else { return "" }
        let size = lseek(file.number, 0, SEEK_END)
        lseek(file.number, max(0, size - 64 * 1024), SEEK_SET)
        guard let bytes = try? file.readToEnd() else { return "" }
        return last(lines, of: String(decoding: bytes, as: UTF8.self))
    }

    /// The last lines of a text.
    static func last(_ count: Int, of text: String) -> String {
        text.split(separator: "\n").suffix(count).joined(separator: "\n")
    }
}

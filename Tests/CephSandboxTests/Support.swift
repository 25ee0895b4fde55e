import CephSandbox
import Glibc
import SystemPackage

/// The processes whose command line contains a text; zombies have none.
func processes(mentioning text: String) -> [String] {
    names(in: "/proc").filter { name in
        guard Int32(name) != nil, name != "\(getpid())", let file = fopen("/proc/\(name)/cmdline", "r") else { return false }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16384)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).contains(text)
    }
}

func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
}

/// Says whether a path exists, a broken symbolic link included.
func exists(_ path: String) -> Bool {
    var info = stat()
    return lstat(path, &info) == 0
}

extension FilePath {
    /// The text of the file.
    var contents: String {
        get throws {
            let file = try FileDescriptor.open(self, .readOnly)
            defer { try? file.close() }
            var text: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65536)
            while case let count = try chunk.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
                text += chunk[..<count]
            }
            return String(decoding: text, as: UTF8.self)
        }
    }
}

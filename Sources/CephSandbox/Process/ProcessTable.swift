internal import Glibc

/// What /proc tells about processes.
enum ProcessTable {
    /// Says whether every thread of a process is stopped; `nil` if there is no such process.
    static func isFrozen(_ pid: Int32) -> Bool? {
        guard let tasks = opendir("/proc/\(pid)/task") else { return nil }
        defer { closedir(tasks) }
        while let entry = readdir(tasks) {
            guard let thread = Int32(name(of: entry)), let state = state(ofThread: thread, of: pid) else { continue }
            if state != "T" { return false }
        }
        return true
    }

    private static func state(ofThread thread: Int32, of pid: Int32) -> Character? {
        let path = "/proc/\(pid)/task/\(thread)/stat"
        guard let file = try? Descriptor.open(path, O_RDONLY), let bytes = try? file.readToEnd() else { return nil }
        // The name before the state is in parentheses and may contain any character.
        return String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.first { $0 != " " }
    }
}

/// The name in a directory entry.
func name(of entry: UnsafeMutablePointer<dirent>) -> String {
    withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

internal import Glibc

/// Why an admin socket could not be opened or asked.
public struct AdminSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, as an open set.
    public struct Reason: Hashable, Sendable {
        let rawValue: String

        /// A living process answers at the path.
        public static let inUse = Reason(rawValue: "another process serves this socket")
        /// Something that is no socket lies at the path; it is left alone.
        public static let notASocket = Reason(rawValue: "a file that is no socket is in the way")
        /// Longer than a UNIX socket address holds (107 bytes).
        public static let pathTooLong = Reason(rawValue: "the path is longer than 107 bytes")
        /// What was answered is no document: an error, or cut off.
        public static let noDocument = Reason(rawValue: "the reply is no document")
        /// A system call failed; `errno` tells how.
        public static let system = Reason(rawValue: "system call failed")
    }

    public let reason: Reason
    public let path: String
    /// The failed call's errno, 0 where none failed.
    public let errno: Int32

    init(_ reason: Reason, path: String, errno: Int32 = 0) {
        self.reason = reason
        self.path = path
        self.errno = errno
    }

    public var description: String {
        let cause = errno == 0 ? reason.rawValue : String(cString: strerror(errno))
        return "admin socket \(path): \(cause)"
    }
}

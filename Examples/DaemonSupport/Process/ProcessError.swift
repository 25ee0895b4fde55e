internal import Glibc

/// Why the process could not be set up; the description is what an operator should read.
public struct ProcessError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// The failed call's errno, 0 where none failed.
    public let errno: Int32

    init(_ what: String, errno: Int32 = 0) {
        self.errno = errno
        description = errno == 0 ? what : "\(what): \(String(cString: strerror(errno)))"
    }
}

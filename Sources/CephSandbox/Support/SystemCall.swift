internal import Glibc

extension SandboxError {
    /// The error of a system call that just failed, from `errno` or from the code it returned.
    static func systemCall(_ call: String, _ subject: String = "", code: Int32 = errno) -> SandboxError {
        let reason = String(cString: strerror(code))
        return SandboxError(.systemCall, "\(call)\(subject.isEmpty ? "" : " \(subject)") failed: \(reason)")
    }
}

/// Returns what a system call returned, or throws if that is negative.
@discardableResult
func checked(_ result: Int32, _ call: String, _ subject: @autoclosure () -> String = "") throws(SandboxError) -> Int32 {
    let code = errno
    guard result >= 0 else { throw .systemCall(call, subject(), code: code) }
    return result
}

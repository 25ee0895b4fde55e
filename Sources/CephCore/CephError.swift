internal import Glibc

/// A Ceph call that failed: the errno, the call and the object it was about.
public struct CephError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A positive errno, as in `ENOENT`; Linux numbering, Ceph's own meanings (108 is blocklisted).
    public let code: Int32
    /// The C function or class method, as in `rbd_open`.
    public let operation: String
    /// What it was about, as in `pool/image@snapshot`; never a secret.
    public let subject: String

    public init(code: Int32, operation: String, subject: String = "") {
        self.code = abs(code)
        self.operation = operation
        self.subject = subject
    }

    public var description: String {
        let place = subject.isEmpty ? "" : " on \(subject)"
        return "\(operation)\(place): \(meaning) (\(code))"
    }

    /// What the code means in Ceph, in a few words.
    public var meaning: String {
        switch code {
        case ESHUTDOWN: "this client is blocklisted"
        case ETIMEDOUT: "no answer within the deadline; the operation may still be applied"
        case EDQUOT: "quota exceeded"
        case Self.firstMismatch...: "the bytes differ"
        default: String(cString: strerror(code))
        }
    }
}

extension CephError {
    /// The object, image, pool or key does not exist.
    public var isNotFound: Bool { code == ENOENT }
    /// The name, key or object is taken (`EEXIST`).
    public var alreadyExists: Bool { code == EEXIST }
    /// No answer came in time. A mutation that timed out is *unknown*: it may still be applied.
    public var isTimeout: Bool { code == ETIMEDOUT }
    /// The cluster has fenced this client; nothing will work until a new client is made.
    public var isBlocklisted: Bool { code == ESHUTDOWN }
    /// Held or used by somebody else (`EBUSY`).
    public var isBusy: Bool { code == EBUSY }
    /// The user's capabilities do not allow it.
    public var isPermissionDenied: Bool { code == EACCES || code == EPERM }
    /// The pool or cluster has no room left.
    public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }
    /// A guard in the operation did not hold (`cmpxattr`, `omap_cmp`, `cmpext`, version, order).
    public var isConflict: Bool {
        code == ECANCELED || code == ESTALE || code == ERANGE || code == EOVERFLOW || mismatchOffset != nil
    }
    /// Where the bytes that `cmpext` compared begin to differ, from the first one compared.
    public var mismatchOffset: Int? { code >= Self.firstMismatch ? Int(code - Self.firstMismatch) : nil }
    /// Ceph adds the offset of a mismatch to its greatest errno.
    private static let firstMismatch: Int32 = 4095
    /// The reply cannot be understood.
    public static func undecodable(_ error: WireError, operation: String, subject: String) -> CephError {
        CephError(code: EBADMSG, operation: "\(operation): \(error)", subject: subject)
    }
}

/// Throws for a negative return value, else hands it back.
@discardableResult
func check(
    _ code: CInt, _ operation: String, on subject: @autoclosure () -> String = ""
) throws(CephError) -> Int {
    guard code < 0 else { return Int(code) }
    throw CephError(code: -code, operation: operation, subject: subject())
}

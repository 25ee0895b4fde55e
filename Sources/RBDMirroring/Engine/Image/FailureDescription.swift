internal import CephCore
internal import RBDImage

/// What a failed attempt is called in the image's status.
enum FailureDescription {
    static func text(for error: any Error) -> String {
        switch error {
        case let owner as ImageLock.Owner: "image is locked by client.\(owner.client) at \(owner.address)"
        case let error as CephError: text(for: error)
        default: "\(error)"
        }
    }

    private static func text(for error: CephError) -> String {
        if error.isOutOfSpace { return "no space left for \(error.subject)" }
        if error.isTimeout { return "no answer from the cluster: \(error.operation) on \(error.subject)" }
        if error.isPermissionDenied { return "permission denied: \(error.operation) on \(error.subject)" }
        return error.description
    }
}

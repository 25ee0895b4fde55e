public import CephCore

/// What is told to the watchers of `rbd_trash`.
public enum TrashNotification: Hashable, Sendable, WireEncodable, WireDecodable {
    case imageAdded(id: String, TrashImageSpec)
    case imageRemoved(id: String)
    /// Of a newer release.
    case unknown(UInt32)

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) {
            switch self {
            case .imageAdded(let id, let spec):
                $0.u32(0)
                $0.string(id)
                spec.encode(into: &$0)
            case .imageRemoved(let id):
                $0.u32(1)
                $0.string(id)
            case .unknown(let operation): $0.u32(operation)
            }
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 1) { (d, _) throws(WireError) in
            switch try d.u32() {
            case 0: .imageAdded(id: try d.string(), try TrashImageSpec(from: &d))
            case 1: .imageRemoved(id: try d.string())
            case let operation: .unknown(operation)
            }
        }
    }
}

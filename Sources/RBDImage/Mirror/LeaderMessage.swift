public import CephCore

/// A notification on `rbd_mirror_leader`.
public struct LeaderMessage: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The leader lives; who acknowledges is taken for a living instance.
    public static let heartbeat = LeaderMessage(rawValue: 0)
    public static let lockAcquired = LeaderMessage(rawValue: 1)
    public static let lockReleased = LeaderMessage(rawValue: 2)
}

extension LeaderMessage: WireEncodable, WireDecodable {
    public func encode(into encoder: inout Encoder) { encoder.frame(version: 1, compat: 1) { $0.u32(rawValue) } }

    public init(from decoder: inout Decoder) throws(WireError) {
        self.init(rawValue: try decoder.frame(supported: 1) { (d, _) throws(WireError) in try d.u32() })
    }
}

public import CephCore

/// What a pool's leader tells the other daemons, by notification on `rbd_mirror_leader`; an open set.
public struct LeaderMessage: RawRepresentable, Hashable, Sendable, WireEncodable, WireDecodable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The leader lives; whoever acknowledges counts as a live instance.
    public static let heartbeat = LeaderMessage(rawValue: 0)
    /// There is a new leader.
    public static let acquired = LeaderMessage(rawValue: 1)
    /// The leader has left; the others compete at once.
    public static let released = LeaderMessage(rawValue: 2)

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 1, compat: 1) { $0.u32(rawValue) }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        rawValue = try decoder.frame(supported: 1) { (d, _) throws(WireError) in try d.u32() }
    }
}

internal import Glibc

/// A moment by the wall clock, in seconds since 1970.
///
/// Encoded as a plain number, so that a status reads the same in every language.
public struct WallTime: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public var secondsSince1970: Double

    public init(secondsSince1970: Double) { self.secondsSince1970 = secondsSince1970 }

    public init(from decoder: any Decoder) throws {
        secondsSince1970 = try decoder.singleValueContainer().decode(Double.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(secondsSince1970)
    }

    /// Reads the wall clock.
    public static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(secondsSince1970: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }

    /// Counts the seconds from an earlier moment; negative when that one is later.
    public func seconds(since earlier: WallTime) -> Double { secondsSince1970 - earlier.secondsSince1970 }

    public static func < (a: WallTime, b: WallTime) -> Bool { a.secondsSince1970 < b.secondsSince1970 }

    public var description: String { "\(secondsSince1970)" }
}

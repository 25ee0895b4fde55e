internal import RBDImage

/// The rules of object deltas, on 32 packed entries at once.
///
/// A delta's low bit says that the object is there, its high bit that it was touched. A map entry is
/// 0 absent, 1 written, 2 being removed, 3 there and clean.
enum DeltaRule {
    private static let low = ObjectMap.lowBits

    /// Entries whose objects were not known before.
    ///
    /// - Parameter isStart: The map is the older point's own, else everything in it is new.
    static func first(_ map: UInt64, isStart: Bool) -> UInt64 {
        let high = map >> 1 & low
        let present = (map | high) & low
        let touched = isStart ? high & ~map & low : present
        return touched << 1 | present
    }

    /// Entries one revision later.
    ///
    /// - Parameter holesStay: A hole that is filled here is left a hole, for a later revision to judge.
    static func next(_ previous: UInt64, _ map: UInt64, holesStay: Bool) -> UInt64 {
        let was = (low: previous & low, high: previous >> 1 & low)
        let now = (low: map & low, high: map >> 1 & low)
        let present = now.low | now.high
        let written = now.low ^ now.high
        let clean = now.low & now.high
        let wasPlainData = was.low & ~was.high
        let known = was.low | was.high
        let touched = (~present & known) | written | (clean & ~wasPlainData)
        let kept = holesStay ? known : low
        return (touched & kept & low) << 1 | (present & kept & low)
    }
}

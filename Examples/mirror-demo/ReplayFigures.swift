import Foundation

/// The figures in a replaying image's status, as `rbd mirror image status` shows them behind the word `replaying`.
struct ReplayFigures: Decodable {
    var replay_state: String
    var syncing_percent: Int?
    var bytes_per_second: Double?
    var last_snapshot_bytes: Int?
    var local_snapshot_timestamp: UInt32?

    /// Nil for the description of an image that is not replaying.
    init?(description: String) {
        guard let brace = description.firstIndex(of: "{"),
            let figures = try? JSONDecoder().decode(Self.self, from: Data(description[brace...].utf8)) else { return nil }
        self = figures
    }
}

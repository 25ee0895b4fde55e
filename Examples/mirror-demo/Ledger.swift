import Foundation

/// What the steps took, for the table at the end.
struct Ledger {
    struct Entry {
        var step: String
        /// What the daemon says that it read at the source; for a move, what was written since the snapshot before.
        var bytes: Int
        /// From the snapshot at the source to the complete one at the replica.
        var seconds: Double
        /// From the start of the command that takes the snapshot; nil where something else was waited for too.
        var lag: Double?
    }

    private(set) var entries: [Entry] = []

    mutating func add(_ entry: Entry) { entries.append(entry) }

    var table: String {
        let head = ["step", "bytes", "seconds", "rate", "lag"]
        let rows = entries.map { entry in
            [
                entry.step, Self.amount(entry.bytes), Self.seconds(entry.seconds),
                Self.amount(Int(Double(entry.bytes) / max(entry.seconds, 0.001))) + "/s", entry.lag.map(Self.seconds) ?? "",
            ]
        }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max()! }
        let lines = [head, widths.map { String(repeating: "-", count: $0) }] + rows
        return lines.map { line in
            let cells = zip(line, widths).enumerated().map { $0 == 0 ? $1.0.padded($1.1) : $1.0.leftPadded($1.1) }
            return "  " + cells.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    static func seconds(_ value: Double) -> String { String(format: "%.2f s", value) }

    static func amount(_ bytes: Int) -> String {
        switch bytes {
        case 10_000_000...: "\(bytes / 1_000_000) MB"
        case 1_000_000...: String(format: "%.1f MB", Double(bytes) / 1e6)
        default: "\(bytes / 1000) kB"
        }
    }
}

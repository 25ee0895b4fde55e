/// The results as a Markdown table.
struct Table {
    let samples: [Sample]
    let loops: [LoopSample]
    let contenders: [String]

    var text: String {
        var lines = rows
        if !loops.isEmpty { lines += [""] + loopRows }
        return lines.joined(separator: "\n")
    }

    private var rows: [String] {
        let ours = contenders[0]
        var lines = [
            "| # | work | daemon | seconds, median (min to max) | samples | ratio to \(ours) | peak memory | processor time | machine busy | strangers |",
            "|---|---|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        for row in Row.allCases {
            let own = seconds(row, ours)
            for name in contenders {
                let some = samples.filter { $0.row == row && $0.contender == name }
                guard let time = Spread(some.map(\.seconds)) else { continue }
                let ratio = name == ours ? "1" : own.map { "\((time.median / $0.median).text) ×" } ?? ""
                let strangers = Spread(some.map(\.strangers))!.median
                let busy = Spread(some.map(\.busy))!.median
                lines.append(
                    "| \(row.rawValue) | \(row.title) | \(name) | \(time.text) | \(some.count) | \(ratio) | "
                        + "\(some.map(\.usage.peakBytes).max()! >> 20) MiB | \(Spread(some.map(\.usage.processorSeconds))!.median.text) s | "
                        + "\(Int(busy * 100)) % | \(Int(strangers * 100)) % |")
            }
        }
        return lines
    }

    private func seconds(_ row: Row, _ contender: String) -> Spread? {
        Spread(samples.filter { $0.row == row && $0.contender == contender }.map(\.seconds))
    }

    private var loopRows: [String] {
        var lines = ["| loop | objects in flight | seconds, median (min to max) | MB/s | strangers |", "|---|--:|--:|--:|--:|"]
        for kind in LoopSample.Kind.allCases {
            let some = loops.filter { $0.kind == kind }
            lines += Set(some.map(\.depth)).sorted().map { depth in loopRow(kind, depth, some.filter { $0.depth == depth }) }
        }
        return lines
    }

    private func loopRow(_ kind: LoopSample.Kind, _ depth: Int, _ some: [LoopSample]) -> String {
        let time = Spread(some.map(\.seconds))!
        let strangers = Spread(some.map(\.strangers))!.median
        return "| \(kind.rawValue) | \(depth) | \(time.text) | \(Int(Double(some[0].bytes) / time.median / 1e6)) | \(Int(strangers * 100)) % |"
    }
}

/// Where some measurements lie.
struct Spread {
    let least: Double
    let median: Double
    let greatest: Double

    /// Nil without measurements.
    init?(_ values: [Double]) {
        let sorted = values.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        least = first
        greatest = last
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    var text: String { least == greatest ? median.text : "\(median.text) (\(least.text) to \(greatest.text))" }
}

import CephSandbox
import Foundation

/// One daemon's turn on a fresh pair of clusters: all rows, in order.
struct Round {
    let contender: Contender
    let rows: [Row]
    let depths: [Int]
    let repeats: Int
    let patience: Duration

    struct Result {
        var samples: [Sample] = []
        var loops: [LoopSample] = []
    }

    func run() async throws -> Result {
        let pair = try await SandboxPair.start(.init(SandboxConfiguration(objectStore: .memory(bytes: 8 << 30))))
        do {
            let result = try await pair.siteB.showingLogsOnFailure { try await run(on: pair) }
            try await pair.stop()
            return result
        } catch {
            try? await pair.stop()
            throw error
        }
    }

    private func run(on pair: SandboxPair) async throws -> Result {
        let sites = try await Sites(pair)
        let newImages = rows.contains(.newImages) ? try await HeldBackImages(count: 40, mebibytes: 8, at: sites) : nil
        if !Set(rows).isDisjoint(with: Row.byJournal) {
            let stage = JournalStage(contender: contender, sites: sites, patience: patience, repeats: repeats)
            let samples = try await stage.run(rows)
            guard !Set(rows).isSubset(of: Row.byJournal) else {
                await sites.disconnect()
                return Result(samples: samples)
            }
            return try await runSnapshotRows(on: pair, sites, newImages, Result(samples: samples))
        }
        return try await runSnapshotRows(on: pair, sites, newImages, Result())
    }

    private func runSnapshotRows(
        on pair: SandboxPair, _ sites: Sites, _ newImages: HeldBackImages?, _ before: Result
    ) async throws -> Result {
        let usesBigImage = !Set(rows).isDisjoint(with: [.firstSync, .scatteredDelta, .smallDelta])
        if usesBigImage {
            say("writing 1.5 GiB")
            try await sites.makeImage("big", mebibytes: 1536)
        }
        let daemon = try await contender.start(on: pair)
        do {
            try await warmUp(sites)
            say("\(contender.name) runs as process \(daemon.processID)")
            let stage = Stage(contender: contender, sites: sites, daemon: daemon, patience: patience)
            var result = before
            if usesBigImage { try await measureBigImage(stage, &result) }
            if rows.contains(.smallObjectDelta) { result.samples.append(try await stage.smallObjectDelta()) }
            if let newImages { result.samples.append(try await stage.newImages(newImages)) }
            try await daemon.stop()
            await sites.disconnect()
            return result
        } catch {
            if case .ours(_, let log) = daemon { say("end of \(log):\n\(tail(of: log.string))") }
            try? await daemon.stop()
            throw error
        }
    }

    private func measureBigImage(_ stage: Stage, _ result: inout Result) async throws {
        let (first, image) = try await stage.firstSync("big")
        if rows.contains(.firstSync) {
            result.samples.append(first)
            for depth in depths { result.loops.append(try await stage.loop(.copy, image, depth: depth)) }
        }
        if rows.contains(.scatteredDelta) {
            result.samples.append(try await stage.scatteredDelta(image))
            for depth in depths { result.loops.append(try await stage.loop(.scattered, image, depth: depth)) }
        }
        if rows.contains(.smallDelta) {
            for _ in 0..<repeats { result.samples += try await stage.smallDelta(image) }
            try await stage.sites.verify(image)
        }
    }

    /// Has a small image mirrored, after which the daemon is known to be up.
    private func warmUp(_ sites: Sites) async throws {
        try await sites.makeImage("warm", mebibytes: 8)
        let image = try await sites.enableMirroring("warm")
        _ = try await sites.waitForReplica(of: image, at: try await sites.newestPoint(image))
        try await sites.settle(image)
    }

    private func tail(of file: String) -> String {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(30).joined(separator: "\n")
    }
}

func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

extension Double {
    /// Three figures are enough for anything measured here.
    var text: String { String(format: self < 10 ? "%.2f" : "%.1f", self) }
}

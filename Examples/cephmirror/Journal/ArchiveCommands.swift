import ArgumentParser
import CephCore
import Foundation
import JournalReplay
import RBDImage

struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "Writes a journal to files as it comes, until it is interrupted.",
        discussion: """
            An image can be brought to any moment that the archive has: make a snapshot while it is archived, and keep a copy of that. The \
            journal is kept for the archive from the first run on; when it is not needed any more: --unregister.
            """)
    @OptionGroup var journal: JournalOptions
    @Argument(help: "The folder; it is made when it is not there.", completion: .directory) var folder: String
    @Option(help: "Who it is in the journal's list of clients.") var client = "archive"
    @Option(help: "Seconds between two moments at which all is on stable storage.") var interval = 5.0
    @Flag(help: "Do not archive: let the journal go on without.") var unregister = false

    func run() async throws {
        try await journal.withJournal { journal in
            if unregister { return try await journal.unregister(client) }
            var settings = JournalArchiving()
            (settings.client, settings.commitAge) = (client, .milliseconds(Int(max(0.05, min(interval, 3600)) * 1000)))
            let isJSON = self.journal.cluster.json
            let progress = ProgressLine()
            do {
                try await journal.archive(to: JournalArchive(at: folder), settings) { state in
                    let durable = state.durable.map { "\($0.tag):\($0.entry)" } ?? "none"
                    if isJSON {
                        try? Output.json(["entries": "\(state.archived.entries)", "bytes": "\(state.archived.bytes)", "durable": durable], pretty: false)
                    } else {
                        progress.show("\(state.archived.entries) entries, \(state.archived.bytes >> 20) MiB, safe up to \(durable)")
                    }
                }
            } catch is CancellationError {}
            progress.end()
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Brings a copy of a snapshot to a moment that an archive has.",
        discussion: """
            IMAGE is what the archived image was at the snapshot of --base: made by rbd cp, or from a backup. It gets everything that was \
            done to the archived image between the snapshot and the moment. Without IMAGE it is shown what the archive has.
            """)
    @OptionGroup var cluster: ClusterOptions
    @Argument(help: "The archive's folder.", completion: .directory) var folder: String
    @Argument(help: "POOL/[NAMESPACE/]IMAGE") var image: ImageSpec?
    @Option(help: "The snapshot that IMAGE is a copy of; without it IMAGE is what the archived image was when the archive began.")
    var base: String?
    @Option(help: "The last entry to apply, as TAG:ENTRY.") var at: String?
    @Option(help: "The moment, as in 2026-11-26T12:00:00Z or in seconds since 1970, by the primary's clock.") var time: String?

    func validate() throws {
        if at != nil, time != nil { throw ValidationError("Either --at or --time.") }
        if let at, Self.position(at) == nil { throw ValidationError("--at wants TAG:ENTRY, as in 12:345.") }
        if let time, Self.moment(time) == nil { throw ValidationError("--time wants a moment, as in 2026-11-26T12:00:00Z.") }
    }

    func run() async throws {
        let restore = JournalRestore(from: JournalArchive(at: folder))
        guard let image else { return try show(try await restore.contents()) }
        var cut = at.flatMap(Self.position)
        if let moment = time.flatMap(Self.moment) {
            cut = try await restore.cut(at: moment)
            guard let cut else { throw Failure(2, "the archive begins after \(time!)") }
            Output.note("\(time!) is tag \(cut.tag), entry \(cut.entry)")
        }
        let progress = ProgressLine()
        let (upTo, from) = (cut, base)
        let done = try await cluster.withCluster { cluster in
            let pool = try await image.pool(on: cluster)
            let id = try await pool.withImage(image.image) { try await $0.info().id }
            return try await restore.apply(to: id, in: pool, base: from, upTo: upTo) {
                progress.show("\($0.entries) entries, \($0.bytes >> 20) MiB")
            }
        }
        progress.end()
        Output.note("\(done.entries) entries applied, \(done.bytes) bytes")
    }

    private struct Contents: Encodable {
        var image: String?
        var entries: Int
        var first: String?
        var last: String?
        var begin: String?
        var end: String?
        var snapshots: [Snapshot]

        struct Snapshot: Encodable {
            var name: String
            var position: String
            var time: String?
        }

        init(_ contents: JournalRestore.Contents) {
            image = contents.identity?.image
            entries = contents.entries
            (first, last) = (contents.first.map(Self.text), contents.last.map(Self.text))
            (begin, end) = (contents.begin.map(Self.text), contents.end.map(Self.text))
            snapshots = contents.snapshots.map { .init(name: $0.name, position: Self.text($0.position), time: $0.time.map(Self.text)) }
        }

        private static func text(_ position: JournalPosition) -> String { "\(position.tag):\(position.entry)" }
        private static func text(_ time: CephTime) -> String { EntryRecord.time(Double(time.seconds) + Double(time.nanoseconds) / 1e9) }
    }

    private func show(_ found: JournalRestore.Contents) throws {
        let contents = Contents(found)
        if cluster.json { return try Output.json(contents) }
        try Output.line("image \(contents.image ?? "unknown"): \(contents.entries) entries, \(contents.first ?? "-") to \(contents.last ?? "-")")
        try Output.line("from \(contents.begin ?? "-") to \(contents.end ?? "-")")
        for snapshot in contents.snapshots { try Output.line("snapshot \(snapshot.name) at \(snapshot.position), \(snapshot.time ?? "-")") }
    }

    private static func position(_ text: String) -> JournalPosition? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { UInt64($0) }
        guard parts.count == 2, let tag = parts[0], let entry = parts[1] else { return nil }
        return JournalPosition(object: 0, tag: tag, entry: entry)
    }

    private static func moment(_ text: String) -> CephTime? {
        let seconds = Double(text) ?? (try? Date(text, strategy: .iso8601))?.timeIntervalSince1970
            ?? (try? Date(text, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted)))?
            .timeIntervalSince1970
        guard let seconds, seconds >= 0, seconds < Double(UInt32.max) else { return nil }
        return CephTime(seconds: UInt32(seconds), nanoseconds: UInt32((seconds - seconds.rounded(.down)) * 1e9))
    }
}

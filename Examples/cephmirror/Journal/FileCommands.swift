import ArgumentParser
import CephCore
import Foundation
import JournalReplay

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes a journal's entries to a file that rbd journal import takes.")
    @OptionGroup var journal: JournalOptions
    @Argument(help: "The file, which must not be there; - for standard output.", completion: .file()) var path: String
    @Flag(help: "Write a JSON object in each line, which says what the entry is, too.") var jsonLines = false

    func run() async throws {
        try await journal.withJournal { journal in
            let descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Failure(errno, "cannot make \(path): \(String(cString: strerror(errno)))") }
            defer { if path != "-" { close(descriptor) } }
            let progress = ProgressLine()
            let stream = DescriptorStream(descriptor)
            let done = try await journal.export(to: stream, as: jsonLines ? .jsonLines : .stock) {
                progress.show("\($0.entries) entries, \($0.bytes >> 20) MiB")
            }
            if path != "-" { try await stream.synchronize() }
            progress.end()
            Output.note("\(done.entries) entries exported, \(done.bytes) bytes")
        }
    }
}

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Adds the entries of a file to a journal; the image applies them when it is opened next.",
        discussion: "The image must be closed and have applied its own entries. Exits with 22 when a record was not imported, and says which.")
    @OptionGroup var journal: JournalOptions
    @Argument(help: "The file; - for standard input.", completion: .file()) var path: String

    private struct Report: Encodable {
        var entries: Int
        var bytes: UInt64
        var tags: [UInt64]
        var refused: [String]
    }

    func run() async throws {
        try await journal.withJournal { journal in
            let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Failure(errno, "cannot read \(path): \(String(cString: strerror(errno)))") }
            defer { if path != "-" { close(descriptor) } }
            let progress = ProgressLine()
            let report = try await journal.importEntries(from: DescriptorStream(descriptor)) {
                progress.show("\($0.entries) entries, \($0.bytes >> 20) MiB")
            }
            progress.end()
            let refused = report.refused.map(\.description)
            if self.journal.cluster.json {
                try Output.json(Report(
                    entries: report.imported.entries, bytes: report.imported.bytes, tags: report.tags, refused: refused))
            } else {
                for reason in refused { Output.note(reason) }
                try Output.line("\(report.imported.entries) entries imported, \(report.imported.bytes) bytes, \(refused.count) refused")
            }
            if !refused.isEmpty { throw Failure(22, "\(refused.count) records of \(path) were not imported") }
        }
    }
}

struct ResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Removes all entries, clients and tags; unlike rbd journal reset it keeps the layout.",
        discussion: "The image must be closed. Peers that followed it have to be resynced.")
    @OptionGroup var journal: JournalOptions
    @Flag(help: "Also with entries that the image has yet to apply, or with peers that are not up to date.") var force = false

    func run() async throws {
        try await journal.withJournal { journal in
            try await journal.refuseIfUsed()
            let peers = try await journal.header().clients.filter { $0.id != JournalClient.imageID }
            guard force || peers.isEmpty else {
                throw Failure(22, """
                    \(peers.map(\.id).joined(separator: ", ")) would have to begin anew: disable mirroring of the image first, or --force
                    """)
            }
            try await journal.reset()
            Output.note("journal \(journal.id) is empty")
        }
    }
}

struct DisconnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disconnect", abstract: "Cuts clients off: the journal is not kept for them any more, and they have to be resynced.")
    @OptionGroup var journal: JournalOptions
    @Option(name: .customLong("client-id"), help: "Only this client; without it all but the image itself.") var client: String?

    func run() async throws {
        try await journal.withJournal { journal in
            let found = try await journal.header().clients.map(\.id).filter { client.map { [$0] }?.contains($0) ?? ($0 != JournalClient.imageID) }
            guard !found.isEmpty else { throw Failure(2, client.map { "the journal has no client \($0)" } ?? "the journal has no clients") }
            for id in found {
                try await journal.disconnect(id)
                Output.note("client \(id) disconnected")
            }
        }
    }
}

import ArgumentParser
import CephCore
import JournalReplay

struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "info", abstract: "Shows where a journal is and how it is laid out.")
    @OptionGroup var journal: JournalOptions

    private struct Info: Encodable {
        var journal_id: String
        var header_oid: String
        var object_oid_prefix: String
        var order: UInt8
        var splay_width: UInt8
        var object_pool: String?
    }

    func run() async throws {
        try await journal.withJournal { journal in
            let geometry = journal.geometry
            let info = Info(
                journal_id: journal.id, header_oid: journal.headerObject, object_oid_prefix: journal.dataPrefix, order: geometry.order,
                splay_width: geometry.splayWidth, object_pool: geometry.dataPool == nil ? nil : journal.dataPool.name)
            if self.journal.cluster.json { return try Output.json(info) }
            try Output.line("rbd journal '\(info.journal_id)':")
            try Output.line("\theader_oid: \(info.header_oid)\n\tobject_oid_prefix: \(info.object_oid_prefix)")
            try Output.line("\torder: \(info.order) (\(Self.size(geometry.objectSize)) objects)\n\tsplay_width: \(info.splay_width)")
            if let pool = info.object_pool { try Output.line("\tobject_pool: \(pool)") }
        }
    }

    private static func size(_ bytes: UInt64) -> String { bytes < 1 << 20 ? "\(bytes >> 10) KiB" : "\(bytes >> 20) MiB" }
}

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows who reads a journal, how far each is, and its epochs.")
    @OptionGroup var journal: JournalOptions

    private struct Status: Encodable {
        var minimum_set: UInt64
        var active_set: UInt64
        var registered_clients: [Client]
        var tags: [Tag]

        struct Client: Encodable {
            var id: String
            var role: String
            var commit_position: [Position]
            var state: String
        }
        struct Position: Encodable {
            var object_number: UInt64
            var tag_tid: UInt64
            var entry_tid: UInt64
        }
        struct Tag: Encodable {
            var id: UInt64
            var owner: String?
            var predecessor: String?
        }

        init(_ header: JournalHeader) {
            (minimum_set, active_set) = (header.minimumSet, header.activeSet)
            registered_clients = header.clients.map { client in
                Client(
                    id: client.id, role: Self.role(client),
                    commit_position: client.committed.positions.map {
                        Position(object_number: $0.object, tag_tid: $0.tag, entry_tid: $0.entry)
                    }, state: Self.state(client.state))
            }
            tags = header.tags.map { tag in
                let epoch = try? tag.epoch()
                let before = epoch.map(\.predecessor)
                return Tag(
                    id: tag.id, owner: epoch.map { Self.name($0.owner) },
                    predecessor: before.flatMap { $0.isCommitted ? "\(Self.name($0.owner)) \($0.tag):\($0.entry)" : nil })
            }
        }

        private static func name(_ owner: JournalEpoch.Owner) -> String { owner == .local ? "local" : owner.rawValue }

        private static func state(_ state: JournalClient.State) -> String {
            switch state {
            case .connected: "connected"
            case .disconnected: "disconnected"
            default: "unknown (\(state.rawValue))"
            }
        }

        private static func role(_ client: JournalClient) -> String {
            guard let role = try? client.role() else { return client.data.isEmpty ? "tool" : "unreadable" }
            return switch role {
            case .image(let image): image.isResyncRequested ? "image, resync requested" : "image"
            case .peer(let peer): "\(peer.state == .syncing ? "peer, first sync" : "peer"), image \(peer.imageID)"
            case .tool: "tool"
            case .unknown(let type, _): "unknown (\(type))"
            }
        }
    }

    func run() async throws {
        try await journal.withJournal { journal in
            let status = Status(try await journal.header())
            if self.journal.cluster.json { return try Output.json(status) }
            try Output.line("minimum_set: \(status.minimum_set)\nactive_set: \(status.active_set)\nregistered clients:")
            for client in status.registered_clients {
                let positions = client.commit_position
                    .map { "[object_number=\($0.object_number), tag_tid=\($0.tag_tid), entry_tid=\($0.entry_tid)]" }.joined(separator: ", ")
                try Output.line("\t[id=\(client.id), \(client.role), commit_position=[positions=[\(positions)]], state=\(client.state)]")
            }
            try Output.line("tags:")
            for tag in status.tags {
                try Output.line("\t[id=\(tag.id), owner=\(tag.owner ?? "unreadable")" + (tag.predecessor.map { ", after \($0)" } ?? "") + "]")
            }
        }
    }
}

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Reads a whole journal and says what is damaged or missing, where.",
        discussion: "Unlike rbd journal inspect it begins at the beginning, registers no client, and goes on behind damage.")
    @OptionGroup var journal: JournalOptions
    @Flag(help: "Print each entry.") var verbose = false

    private struct Summary: Encodable {
        var entries: Int
        var bytes: UInt64
        var objects: Int
        var strays: Int
        var damages: Int
        var damage: [Place]

        struct Place: Encodable {
            var object: String
            var offset: UInt64
            var kind: String
            var detail: String
        }

        init(_ inspection: JournalInspection) {
            (entries, bytes, objects) = (inspection.entries, inspection.bytes, inspection.objects)
            (strays, damages) = (inspection.strays, inspection.damages)
            damage = inspection.damage.map { Place(object: $0.object, offset: $0.offset, kind: "\($0.kind)", detail: $0.detail) }
        }
    }

    func run() async throws {
        try await journal.withJournal { journal in
            let (progress, isJSON, isVerbose) = (ProgressLine(), self.journal.cluster.json, verbose)
            let inspection = try await journal.inspect { entry in
                guard isVerbose else { return }
                if isJSON { try? Output.json(EntryRecord(entry), pretty: false) } else { try? Output.line(EntryRecord(entry).line) }
            } progress: { progress.show("\($0.entries) entries, \($0.bytes >> 20) MiB") }
            progress.end()
            try show(Summary(inspection))
            if inspection.damages > 0 {
                throw Failure(74, "\(inspection.damages) places of journal \(journal.id) are damaged; what lies before the first can be exported")
            }
        }
    }

    private func show(_ summary: Summary) throws {
        if journal.cluster.json { return try Output.json(summary, pretty: !verbose) }
        for place in summary.damage {
            try Output.line("\(place.object), byte \(place.offset): \(place.kind)" + (place.detail.isEmpty ? "" : " (\(place.detail))"))
        }
        try Output.line("""
            \(summary.entries) entries in \(summary.objects) objects, \(summary.bytes) bytes; \(summary.strays) behind the end of their tag, \
            \(summary.damages) errors
            """)
    }
}

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Prints entries as they come, until it is interrupted.",
        discussion: "It registers no client: what is trimmed meanwhile is not seen.")
    @OptionGroup var journal: JournalOptions
    @Flag(help: "Begin at the beginning, not behind what the image has committed.") var all = false
    @Flag(help: "End where the journal ends now.") var once = false

    func run() async throws {
        try await journal.withJournal { journal in
            let committed = all ? .init() : try await journal.client(JournalClient.imageID).committed
            let entries = once ? journal.entries(after: committed) : journal.follow(after: committed)
            for try await entry in entries {
                if self.journal.cluster.json { try Output.json(EntryRecord(entry), pretty: false) } else { try Output.line(EntryRecord(entry).line) }
            }
        }
    }
}

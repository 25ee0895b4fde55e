import CephCore
import CephSandbox
import Foundation
import JournalReplay
import TestSupport

/// What the live suites share: one small cluster and one connection; each test has images of its own.
enum Live {
    private static let started = Task {
        let cluster = try await SandboxCluster.shared(SandboxConfiguration(
            manager: false, options: ["paxos propose interval": "0.05", "osd client watch timeout": "4"]))
        try await cluster.createPool("images")
        try await cluster.createPool("entries")
        return cluster
    }

    private static let connected = Task {
        try await Cluster.connect(.configurationFile(started.value.configurationFile.string))
    }

    static func sandbox() async throws -> SandboxCluster { try await started.value }
    static func images() async throws -> Pool { try await connected.value.pool("images") }

    /// How often tests that repeat themselves do, with other random choices.
    static let count = ProcessInfo.processInfo.environment["CEPH_MIRRORING_COUNT"].flatMap { Int($0) } ?? 1
}

/// An image with a journal of which nothing is trimmed.
struct JournaledImage {
    let name: String
    let pool: Pool
    let journal: Journal
    /// Pins the journal: it never commits.
    static let reader = "reader"

    /// Makes it with the stock command; objects of the journal are 4 KiB or more.
    init(_ word: String, objectSize: Int = 64 << 10, width: Int = 3, options: [String] = []) async throws {
        name = "\(word)-\(String(UInt32.random(in: 0 ... .max), radix: 36))"
        pool = try await Live.images()
        try await Live.sandbox().rbd([
            "create", "images/\(name)", "--size", "32M", "--image-feature", "layering,exclusive-lock,object-map,fast-diff,journaling",
            "--journal-object-size", "\(objectSize)", "--journal-splay-width", "\(width)",
        ] + options)
        journal = try await Journal(ofImage: try await pool.withImage(name) { try await $0.info().id }, in: pool)
        try await journal.register(Self.reader, nil)
    }

    /// Writes through librbd in a process that is killed in the middle of it.
    func writeAndDie(size: Int) async throws {
        let cluster = try await Live.sandbox()
        let bench = try SandboxProcess.start("rbd", [
            "-c", cluster.configurationFile.string, "bench", "images/\(name)", "--io-type", "write", "--io-size", "\(size)",
            "--io-threads", "64", "--io-total", "1G", "--io-pattern", "rand",
        ], log: cluster.folder.appending("bench.log"))
        let before = try await count()
        try await waitUntil("\(name) is written", every: .milliseconds(5)) { try await count() > before + 20 }
        try await bench.kill()
    }

/// Opens the image and does something of everything.
    func live(_ round: Int) async throws {
        try await write { handle in
            for step in 0..<20 { try await handle.write([UInt8](repeating: UInt8(step), count: 700), at: UInt64(step) << 16) }
            try await handle.createSnapshot("s\(round)")
            try await handle.discard(0..<(1 << 20))
            try await handle.flush()
            try await handle.renameSnapshot("s\(round)", to: "r\(round)")
            try await handle.setMetadata("key", to: "\(round)")
        }
    }

    func write(_ body: (Image) async throws -> Void) async throws { try await pool.withImage(name, for: .readWrite, body) }

    private func count() async throws -> Int {
        var count = 0
        for try await _ in journal.entries() { count += 1 }
        return count
    }

    /// What `rbd journal export` writes of the journal, and says in the end.
    func exportedText() async throws -> [UInt8] {
        let output = try await Live.sandbox().output("rbd", ["journal", "export", "images/\(journal.id)", "-"])
        guard output.exit.isSuccess else { throw StockError(text: output.errorText) }
        return output.standardOutput
    }

    func checksum(at snapshot: String? = nil) async throws -> UInt32 {
        try await Live.sandbox().checksum(name, at: snapshot)
    }

    /// What `rbd journal export` writes of the journal: tags and payloads.
    func exported() async throws -> [StockEntry] {
        var rest = try await exportedText()[...]
        rest = rest[(rest.firstIndex(of: UInt8(ascii: "\n"))! + 1)...]
        var entries: [StockEntry] = []
        // The last line says how many there were.
        while let space = rest.firstIndex(of: UInt8(ascii: " ")), rest[space + 1] == UInt8(ascii: "{"),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)) {
            entries.append(try JSONDecoder().decode(StockEntry.self, from: Data(rest[(space + 1)..<(space + 1 + length)])))
            rest = rest[(space + 2 + length)...]
        }
        return entries
    }
}

extension SandboxCluster {
    /// Of what `rbd export` reads of an image.
    func checksum(_ image: String, at snapshot: String? = nil) async throws -> UInt32 {
        let point = snapshot.map { "@\($0)" } ?? ""
        let output = try await output("rbd", ["export", "--no-progress", "images/\(image)\(point)", "-"])
        guard output.exit.isSuccess else { throw StockError(text: output.errorText) }
        return output.standardOutput.withUnsafeBytes { CRC32C.checksum($0, seed: 1) }
    }
}

/// A record of the stock export's file.
struct StockEntry: Decodable, Hashable {
    var tag_id: UInt64
    var type: Int64
    /// Base64.
    var entry: String

    init(_ entry: JournalEntry) {
        tag_id = entry.position.tag
        type = Int64(entry.event.type)
        self.entry = Data(entry.payload).base64EncodedString()
    }
}

struct StockError: Error {
    let text: String
}

import CephSandbox
import Foundation

/// One change of an object, as an OSD made it.
struct Mutation: Sendable {
    let client: UInt64
    let object: String
    /// Class methods and operations, as in `rbd.snapshot_add`.
    let operations: [String]

    /// Reads a line of the operation tracker; nil for one that tells of no change in these pools.
    init?(_ line: Substring, pools: Set<String>) {
        // A notification changes nothing, but tells who asks for what.
        guard line.contains("event: op_commit") || line.contains("event: started") && line.contains(" [notify cookie"),
            let parts = line.firstMatch(of: /osd_op\(client\.(\d+)\.\d+:\d+ (\d+)\.\w+ \d+:\w+:[^:]*:[^:]*:([^:]+):\w+ \[(.*)\] snapc/),
            pools.contains(String(parts.2)), let client = UInt64(parts.1) else { return nil }
        self.client = client
        object = String(parts.3)
        operations = parts.4.split(separator: ",").compactMap { operation in
            let words = operation.split(separator: " ")
            guard words.first == "call" else { return words.first.map(String.init) }
            return words.count > 1 ? String(words[1]) : nil
        }
    }
}

/// What the OSDs of a site change in some pools, in order.
///
/// Read from the OSDs' own log, so that a test sees what a daemon does without the daemon's help.
struct MutationLog {
    private let pools: Set<String>
    private var files: [(handle: FileHandle, rest: String)] = []

    /// Begins with what comes from now on.
    init(_ site: Site, pools: [String]) async throws {
        struct Pool: Decodable { var pool_id: Int, pool_name: String }
        let all: [Pool] = try await site.cluster.cephJSON("osd", "pool", "ls", "detail")
        self.pools = Set(all.filter { pools.contains($0.pool_name) }.map { "\($0.pool_id)" })
        try await site.setOSD("debug_optracker", "6")
        for osd in site.cluster.osds {
            let handle = try FileHandle(forReadingFrom: URL(filePath: osd.logFile.string))
            try handle.seekToEnd()
            files.append((handle, ""))
        }
    }

    /// What came since the last look.
    mutating func next() throws -> [Mutation] {
        var found: [Mutation] = []
        for index in files.indices {
            guard let bytes = try files[index].handle.readToEnd(), !bytes.isEmpty else { continue }
            let text = files[index].rest + String(decoding: bytes, as: UTF8.self)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            files[index].rest = String(lines.last!)
            found += lines.dropLast().compactMap { Mutation($0, pools: pools) }
        }
        return found
    }

    /// Waits until somebody notifies those who watch an image's header.
    mutating func waitForNotification(within limit: Duration = .seconds(30)) async throws {
        let deadline = ContinuousClock.now + limit
        while try !next().contains(where: { $0.object.hasPrefix("rbd_header.") && $0.operations == ["notify"] }) {
            guard .now < deadline else { throw ToolFailure(tool: "the test", text: "nobody notified anybody") }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
    }

    /// Has the OSDs keep quiet again.
    static func end(_ site: Site) async throws { try await site.setOSD("debug_optracker", "0") }
}

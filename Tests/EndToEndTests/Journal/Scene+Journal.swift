import CephCore
import CephSandbox
import Foundation
import JournalReplay
import TestSupport

extension Scene {
    /// Makes an image on a site and mirrors it by its journal.
    func createJournaled(_ image: String, on site: Site? = nil, mebibytes: Int, options: [String] = []) async throws {
        let site = site ?? siteA
        try await site.cluster.rbd([
            "create", site.spec(image), "--size", "\(mebibytes)M",
            "--image-feature", "layering,exclusive-lock,object-map,fast-diff,deep-flatten,journaling",
        ] + options)
        try await site.rbd("mirror", "image", "enable", site.spec(image), "journal")
    }

    /// Waits until everything that was done to an image on a site is on the other: a snapshot made now is there.
    func waitForJournal(_ image: String, from source: Site? = nil, within limit: Duration = .seconds(60)) async throws {
        let source = source ?? siteA
        let mark = "mark-\(UInt32.random(in: 0 ... .max))"
        try await source.withImage(image, for: .readWrite) { try await $0.createSnapshot(mark) }
        try await waitForMark(mark, of: image, from: source, within: limit)
        try await source.withImage(image, for: .readWrite) { try await $0.removeSnapshot(mark) }
        try await waitUntil("snapshot \(mark) of \(image) is gone", within: limit, every: .milliseconds(50)) {
            // On its way it is in the trash, under another name.
            try await !other(than: source).snapshots(image).contains { $0.name == mark || $0.isTrash }
        }
    }

    /// Waits until a snapshot is on the other site.
    func waitForMark(_ mark: String, of image: String, from source: Site, within limit: Duration) async throws {
        let target = other(than: source)
        do {
            try await waitUntil("snapshot \(mark) of \(image) is on \(target.name)", within: limit, every: .milliseconds(50)) {
                guard let all = try? await target.snapshots(image) else { return false }
                return all.contains { $0.name == mark }
            }
        } catch {
            let journals = await [source, target].asyncMap { "\($0.name):\n" + ((try? await $0.journalText(image)) ?? "no image of this name") }
            throw ToolFailure(
                tool: "the journal's replay", text: "\(error); status: \((try? await target.status(image)).map { "\($0)" } ?? "-")\n\(journals.joined(separator: "\n"))")
        }
    }

    /// Demotes the primary, waits until the other site has all of it, and promotes there.
    func handOverJournaled(_ image: String, from source: Site) async throws {
        let target = other(than: source)
        // A stock daemon looks every 30 s. One that comes after the promotion begins where the image is, and sees a split-brain.
        let site = try await source.withClient { try await $0.mirrorUUID() }
        try await waitUntil("\(source.name) is known to the journal of \(image) on \(target.name)", within: .seconds(60), every: .milliseconds(100)) {
            try await target.withJournal(image) { try await $0.header().client(site) != nil }
        }
        try await source.mirror("demote", image: image)
        try await waitForDemotion(of: image, from: source)
        try await target.mirror("promote", image: image)
    }

    func waitForDemotion(of image: String, from source: Site) async throws {
        let target = other(than: source)
        try await target.waitForStatus(image, "demoted") { $0.state == "up+unknown" }
        try await waitUntil("the demotion of \(image) is on \(target.name)", within: .seconds(60), every: .milliseconds(50)) {
            try await target.epoch(image).owner == .orphan
        }
    }
}

extension Site {
    /// Lends an image, opened for writing.
    nonisolated(nonsending)
    func withImage<R>(_ image: String, for access: Image.Access, _ body: (Image) async throws -> R) async throws -> R {
        try await withClient { pool in try await pool.withImage(image, for: access, body) }
    }

    nonisolated(nonsending)
    func withJournal<R>(_ image: String, _ body: (Journal) async throws -> R) async throws -> R {
        let id = try await imageID(image)
        return try await withClient { pool in try await body(try await Journal(ofImage: id, in: pool)) }
    }

    /// What an image's journal says of its clients and epochs, and what comes behind the last client, writes aside.
    func journalText(_ image: String) async throws -> String {
        let (header, next) = try await withJournal(image) { journal in
            let header = try await journal.header()
            var next: [String] = []
            if let last = header.clients.last {
                do {
                    for try await entry in journal.entries(after: last.committed) where next.count < 40 {
                        guard case .write = entry.event else { next.append("\(entry.position.entry): \("\(entry.event)".prefix(300))"); continue }
                    }
                } catch { next.append("\(error)") }
            }
            return (header, next)
        }
        let clients = header.clients.map { client in
            "client \(client.id): \((try? client.role()).map { "\($0)" } ?? "-"), \(client.committed.positions.map { "\($0.tag):\($0.entry)" })"
        }
        return (clients + header.tags.map { "tag \($0.id): \((try? $0.epoch()).map { "\($0)" } ?? "-")" } + next).joined(separator: "\n")
    }

    /// The newest epoch of an image's journal.
    func epoch(_ image: String) async throws -> JournalEpoch {
        try await withJournal(image) { journal in try await journal.header().tags.last!.epoch() }
    }
}

extension Scene {
    /// Nobody is left in the source's journal but the image and its replica, and nothing in it that both are done with.
    func expectTidyJournal(_ image: String, from source: Site? = nil) async throws {
        let source = source ?? siteA
        let site = try await other(than: source).withClient { try await $0.mirrorUUID() }
        // A sign of life of the image: its position is written at its end.
        var last = ""
        do {
            try await waitUntil("the journal of \(image) is trimmed", within: .seconds(40), every: .milliseconds(200)) {
                let header = try await source.withJournal(image) { try await $0.header() }
                let sets = header.clients.flatMap { client in
                    client.committed.positions.map { $0.object / UInt64(header.geometry.splayWidth) }
                }
                last = "sets \(header.minimumSet) to \(header.activeSet), positions in \(sets), clients \(header.clients.map(\.id))"
                return header.clients.map(\.id) == ["", site] && header.minimumSet == min(sets.min() ?? 0, header.activeSet)
            }
        } catch { throw ToolFailure(tool: "the journal", text: "\(error); \(last)") }
    }
}

extension Array {
    fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}

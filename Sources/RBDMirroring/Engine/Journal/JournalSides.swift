internal import CephCore
internal import JournalReplay
internal import RBDImage

/// The two journals of a mirrored image, as its replica's site sees them.
struct JournalSides: Sendable {
    let pair: PoolPair
    let localID: String
    let remoteID: String
    let local: Journal
    let remote: Journal

    /// This site's id as a client of the source's journal.
    var client: String { pair.localMirrorUUID }

    static func open(_ image: Bootstrap.Image, _ pair: PoolPair) async throws -> JournalSides {
        let local = try await Journal(ofImage: image.localID, in: pair.local)
        let remote = try await yieldingToCancellation { try await Journal(ofImage: image.remoteID, in: pair.remote) }
        return JournalSides(pair: pair, localID: image.localID, remoteID: image.remoteID, local: local, remote: remote)
    }

    /// What both journals show now.
    func facts() async throws -> JournalFacts {
        let here = try await local.header()
        let there = try await yieldingToCancellation { [remote] in try await remote.header() }
        guard let newest = here.imageTags.last else { throw unreadable(local, "no epoch of the image") }
        let client = there.client(client)
        var facts = JournalFacts(
            localImageID: localID, local: try epoch(newest, of: local), isResyncRequested: here.ownImage?.isResyncRequested ?? false,
            client: client, remote: try there.imageTags.map { ($0.id, try epoch($0, of: remote)) },
            localMirrorUUID: pair.localMirrorUUID, remoteMirrorUUID: pair.remoteMirrorUUID)
        if let client, case .peer(let peer) = try? client.role() { facts.peer = peer }
        return facts
    }

    /// What becomes of the entries of an epoch of the source.
    enum Entrance { case replay, demotion, staleDemotion }

    /// Has the local journal say that an epoch of the source is being replayed, before its first entry is.
    func enter(_ tag: UInt64) async throws -> Entrance {
        let theirs = try epoch(try await yieldingToCancellation { [remote] in try await remote.tag(tag) }, of: remote)
        let here = try await local.header()
        guard let own = here.ownImage, let newest = here.imageTags.last else { throw unreadable(local, "no epoch of the image") }
        let current = try epoch(newest, of: local)
        let next = theirs.translated(localMirrorUUID: pair.localMirrorUUID, remoteMirrorUUID: pair.remoteMirrorUUID)
        if theirs.owner == .orphan, current.owner == .orphan, current.predecessor.isCommitted, current.predecessor.owner == .local {
            return .staleDemotion
        }
        if current != next { _ = try await local.createTag(next, tagClass: own.tagClass) }
        return theirs.owner == .orphan ? .demotion : .replay
    }

    func register(_ peer: JournalClientRole.Peer) async throws {
        let (remote, client) = (remote, client)
        try await yieldingToCancellation { try await remote.register(client, .peer(peer)) }
    }

    func update(_ peer: JournalClientRole.Peer) async throws {
        let (remote, client) = (remote, client)
        try await yieldingToCancellation { try await remote.update(client, .peer(peer)) }
    }

    private func epoch(_ tag: JournalTag, of journal: Journal) throws -> JournalEpoch {
        do throws(WireError) { return try tag.epoch() } catch { throw unreadable(journal, "tag \(tag.id): \(error)") }
    }

    private func unreadable(_ journal: Journal, _ what: String) -> CephError {
        CephError(code: 74, operation: "read journal header", subject: "\(journal.pool.cluster.name):\(journal.headerObject) (\(what))")
    }
}

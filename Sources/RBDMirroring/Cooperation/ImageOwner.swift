/// Serves the images that the leader assigns to this daemon; the engine of a pool or namespace.
///
/// Calls for one image come one after the other, those for different images at the same time.
public protocol ImageOwner: Sendable {
    /// Serve an image from now on; returns once its replayer is registered. May be said again of one that is served.
    func acquire(globalID: String) async
    /// Stop serving an image; returns when its replayer has stopped and nothing of it is in flight.
    /// May be said of one that is not served.
    func release(globalID: String) async
    /// The peer no longer has an image: look, and act on what is there.
    func peerImageRemoved(globalID: String, mirrorUUID: String) async
    /// Stop all work: this daemon is fenced, or about to be. The client is of no use any more.
    func contactLost(_ loss: ContactLoss) async
}

/// Why a daemon has lost its place among the others; an open set.
public struct ContactLoss: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }

    /// Nothing was heard of the leader, or, leading, nobody could be reached, for so long that others take this daemon for dead.
    public static let silence = ContactLoss("no contact to the leader")
    /// The cluster refuses this client.
    public static let blocklisted = ContactLoss("this client is blocklisted")
    /// A change was sent and not answered: it may still be applied, until this client is fenced.
    public static let unansweredChange = ContactLoss("a change was not answered")
    /// The mailbox or the leader object was removed under our watch.
    public static let removed = ContactLoss("removed by another daemon")
}

/// What happens among the daemons of a pool; an open set.
public struct CooperationEvent: Hashable, Sendable {
    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// This daemon leads: it also looks after trash and lists of images.
        case leading
        /// Another daemon leads, or nobody (nil) for the moment.
        case following(leader: String?)
        /// See ``ImageOwner/contactLost(_:)``: stop, and begin again with a new client.
        case contactLost(ContactLoss)
    }

    public let kind: Kind
}

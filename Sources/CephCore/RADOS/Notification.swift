internal import CCeph
internal import Glibc

/// A notification that arrived on a watched object.
public struct Notification: Sendable {
    /// Unique while it waits for its acknowledgements.
    public let id: UInt64
    /// Global id of the client that sent it.
    public let notifier: UInt64
    public let payload: [UInt8]
    let acknowledgement: Acknowledgement

    /// Sends the acknowledgement of a notification whose responder answered ``NotificationReply/later``.
    ///
    /// The notifier waits for it until its time-out.
    /// - C call: `rados_notify_ack`
    public func acknowledge(_ reply: [UInt8] = []) { acknowledgement.send(reply) }
}

/// What a watch's responder says to a notification.
public struct NotificationReply: Sendable {
    let bytes: [UInt8]?

    /// Acknowledges at once with these bytes.
    public static func now(_ bytes: [UInt8] = []) -> NotificationReply { NotificationReply(bytes: bytes) }
    /// Leaves the acknowledgement to ``Notification/acknowledge(_:)``.
    public static let later = NotificationReply(bytes: nil)
}

/// What happens on a watch, in order.
public struct WatchEvent: Sendable {
    /// An event of a watch.
    public enum Kind: Sendable {
        /// A notification; the responder has been asked already.
        case notified(Notification)
        /// Notifications may have been missed from here on: the watch is being made again.
        case interrupted(CephError)
        /// The watch stands again, as a rule under another handle; read again what it guards.
        case resumed
        /// The client is blocklisted or the object is gone: nothing more will come.
        case lost(CephError)
    }

    public let kind: Kind
}

/// Sends one acknowledgement.
struct Acknowledgement: Sendable {
    let pool: Pool
    let object: String
    let id: UInt64
    let cookie: UInt64

    func send(_ reply: [UInt8]) {
        // Not blocking; nobody is left to tell when the connection has ended.
        _ = try? pool.cluster.call("rados_notify_ack", on: object) {
            reply.withUnsafeBytes {
                rados_notify_ack(
                    pool.handle.pointer, object, id, cookie, $0.baseAddress?.assumingMemoryBound(to: CChar.self), CInt($0.count))
            }
        }
    }
}

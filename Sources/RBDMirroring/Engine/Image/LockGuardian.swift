internal import CephCore
internal import Logging
internal import RBDImage
internal import Replication

/// Listens to an image's lock while it is replayed.
final class LockGuardian: Sendable {
    private let lock: ImageLock
    private let wake: WakeSignal
    private let logger: Logger
    private let promotion = Locked<CephCore.Notification?>(nil)
    private let loss = Locked<ImageLoss?>(nil)

    init(lock: ImageLock, wake: WakeSignal, logger: Logger) {
        self.lock = lock
        self.wake = wake
        self.logger = logger
    }

    /// Wakes the replayer at each change; ends its work when the image is no longer ours to write.
    func listen(end work: @Sendable () -> Void) async {
        for await event in lock.events {
            switch event {
            case .headerUpdated: wake.signal()
            case .resumed:
                do throws(CephError) { try await lock.renew() } catch { lost(.lock, error, work) }
                wake.signal()
            case .challenged:
                do throws(CephError) { try await lock.check() } catch { if error.isLostLock { lost(.lock, error, work) } }
            case .promotionRequested(let notification):
                logger.notice("a \(Self.isForced(notification) ? "forced " : "")promotion asks for the image")
                promotion.withLock { $0 = notification }
                work()
            case .lost(let error): lost(.watch, error, work)
            }
        }
    }

    private func lost(_ what: ImageLoss.What, _ error: CephError, _ work: @Sendable () -> Void) {
        logger.warning("lost the image's \(what)", metadata: ["error": "\(error)"])
        loss.withLock { $0 = ImageLoss(what: what, cause: error) }
        work()
    }

    /// How the work ended: when it was ended here because the image was lost, that is the reason.
    func verdict<Outcome: Sendable>(on result: Result<Outcome, any Error>) -> Result<Outcome, any Error> {
        loss.withLock { $0 }.map { .failure($0.reason) } ?? result
    }

    /// Whether a promotion waits for the image.
    var promotionWaits: Bool { promotion.withLock { $0 != nil } }
    /// Whether one waits that does so by force.
    var forcedPromotionWaits: Bool { promotion.withLock { $0 }.map(Self.isForced) ?? false }

    private static func isForced(_ notification: CephCore.Notification) -> Bool {
        (try? HeaderNotification(encoded: notification.payload))?.isForcedPromotion ?? false
    }

    /// Gives the lock to a promotion, if one asked; to be called when nothing is in flight any more.
    func letPromotionPass() async -> Bool {
        guard let notification = promotion.withLock({ $0 }) else { return false }
        do { try await lock.yield(to: notification) } catch {
            logger.warning("could not give the lock to the promotion", metadata: ["error": "\(error)"])
        }
        return true
    }
}

/// An image that was taken away while it was replayed: the next attempt takes it again, or finds who has it.
struct ImageLoss: Error, CustomStringConvertible {
    enum What: Sendable { case lock, watch }
    let what: What
    let cause: CephError

    /// Clusters that do not answer, or have fenced this client, are a reason of their own.
    var reason: any Error { cause.isTimeout || cause.isBlocklisted ? cause : self }

    var description: String { "the image's \(what) was lost (\(cause)) and is to be taken again" }
}

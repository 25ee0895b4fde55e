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

    init(lock: ImageLock, wake: WakeSignal, logger: Logger) {
        self.lock = lock
        self.wake = wake
        self.logger = logger
    }

    /// Wakes the replayer at each change; ends its work when the image is no longer ours to write.
    func listen(end work: @Sendable () -> Void) async {
        for await event in lock.events {
            switch event {
            case .headerUpdated:
                do { try await lock.renew() } catch {
                    logger.warning("lost the image's lock", metadata: ["error": "\(error)"])
                    work()
                }
                wake.signal()
            case .promotionRequested(let notification):
                logger.notice("a forced promotion asks for the image")
                promotion.withLock { $0 = notification }
                work()
            case .lost(let error):
                logger.warning("lost the image's watch", metadata: ["error": "\(error)"])
                work()
            }
        }
    }

    var isPromotionRequested: Bool { promotion.withLock { $0 != nil } }

    /// Gives the lock to a forced promotion, if one asked; to be called when nothing is in flight any more.
    func letPromotionPass() async -> Bool {
        guard let notification = promotion.withLock({ $0 }) else { return false }
        do { try await lock.yield(to: notification) } catch {
            logger.warning("could not give the lock to the promotion", metadata: ["error": "\(error)"])
        }
        return true
    }
}

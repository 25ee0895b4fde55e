internal import CephCore
internal import Logging
internal import RBDImage

extension Leadership {
    /// The first duty of a new leader: see who is there, and say so.
    func beginTerm() async {
        do throws(CephError) {
            let registered = try await LeaderObject(pool: pool).instances()
            guard election.isLeader else { return }
            let roster = InstanceRoster(
                own: String(own), registered: registered, timing: configuration.timing, at: now)
            self.roster = roster
            logger.notice("leading", metadata: ["mirror.instances": "\(registered.count)"])
            await delegate?.lead(live: roster.live, awaited: roster.awaited)
            for instance in roster.awaited.intersection(fencedLeaders) { remove(instance) }
            try await notify(.acquired)
        } catch {
            failed("beginning to lead", error)
        }
    }

    /// The lock is lost, and with it everything a leader does.
    func endTerm() async {
        logger.notice("not leading any more")
        roster = nil
        await delegate?.resign()
    }

    /// Sends a heartbeat and looks who answers, who is new and who is gone.
    func sendHeartbeat() async {
        guard election.isLeader else { return }
        do throws(CephError) {
            if roster == nil { await beginTerm() }
            let outcome = try await notify(.heartbeat)
            let registered = try await LeaderObject(pool: pool).instances()
            guard election.isLeader else { return }
            await takeStock(answered: Set(outcome.replies.map { String($0.watcher) }), registered: registered)
            post(.heartbeatSent)
        } catch {
            failed("heartbeat", error)
            post(.heartbeatFailed)
        }
    }

    @discardableResult
    private func notify(_ message: LeaderMessage) async throws(CephError) -> NotifyOutcome {
        let timeout = min(configuration.notifyTimeout, configuration.timing.heartbeatInterval)
        return try await pool.notify(LeaderObject.name, message.encoded, timeout: timeout)
    }

    private func takeStock(answered: Set<String>, registered: Set<String>) async {
        guard var roster else { return }
        let added = roster.heard(answered, registered: registered, at: now)
        let awaitedBefore = roster.awaited
        roster.found(registered, at: now)
        self.roster = roster
        let awaited = roster.awaited.subtracting(awaitedBefore)
        if !awaited.isEmpty { await delegate?.instancesAwaited(awaited) }
        if !added.isEmpty { await delegate?.instancesAdded(added) }
        // Who is silent and not registered has left in good order.
        let left = roster.live.union(roster.awaited).subtracting(answered).subtracting(registered).subtracting([roster.own])
        for instance in roster.dead(at: now).union(left).subtracting(fencing) { remove(instance) }
    }

    /// Fences a dead daemon while heartbeats go on; what fails is tried again after the next one.
    private func remove(_ instance: String) {
        fencing.insert(instance)
        logger.notice("another daemon is gone", metadata: ["mirror.instance": "\(instance)"])
        Task {
            defer { fencing.remove(instance) }
            do {
                try await delegate?.fence(instance: instance)
                guard election.isLeader, roster != nil else { return }
                roster?.removed(instance)
                await delegate?.instanceRemoved(instance)
            } catch {
                if let error = error as? CephError { failed("fencing a daemon", error) }
            }
        }
    }
}

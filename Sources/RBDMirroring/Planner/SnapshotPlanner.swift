public import RBDImage

/// Decides the next step of an image in snapshot mode from what both sides show.
///
/// Pure: the same snapshots give the same plan, whoever made them, so that this engine and a stock daemon may
/// take over from each other between any two operations.
public enum SnapshotPlanner {
    /// Plans the next step.
    ///
    /// The snapshots are those of both headers, of every namespace and in any order.
    public static func plan(
        local: [ImageSnapshot], remote: [ImageSnapshot], context: SnapshotPlanContext
    ) -> SnapshotPlan {
        if context.resyncRequested { return .stop(.resyncRequested) }
        let mine = LocalPoints(local)
        if let objection = mine.objection(context) { return .stop(objection) }
        if context.remoteRemoved { return .stop(.remoteRemoved) }
        if context.remotePeerUUID.isEmpty { return .stop(.peerUnknown) }
        return Pass(mine: mine, theirs: RemotePoints(remote, context), context: context).plan()
    }
}

/// One decision, with both sides read.
private struct Pass {
    let mine: LocalPoints
    let theirs: RemotePoints
    let context: SnapshotPlanContext

    func plan() -> SnapshotPlan {
        if let newest = theirs.newest {
            if !newest.state.isPrimary && !newest.state.isNonPrimary {
                return .stop(.malformed("remote mirror snapshot \(newest.id) has unknown state \(newest.state.rawValue)"))
            }
            if newest.state == .nonPrimary { return .stop(.remoteNotPrimary) }
        }
        var common: CommonPoint?
        if let base = mine.base {
            common = theirs.commonPoint(with: base, context)
            if common == nil { return .stop(withoutCommonPoint(base)) }
        }
        let obsolete = mine.obsolete(context)
        if !obsolete.isEmpty { return .prune(obsolete) }
        let unneeded = unneededOnSource(common)
        if !unneeded.isEmpty { return .unlink(unneeded) }
        if let unfinished = mine.unfinished { return goOn(with: unfinished, common) }
        return next(after: common)
    }

    /// Both sides demoted, or the other side not yet where we were demoted, is no split-brain.
    private func withoutCommonPoint(_ base: MirrorPoint) -> SnapshotPlan.StopReason {
        if base.state.isNonPrimary { return .splitBrain(.baseMissing(remote: base.mirror.primarySnapshotID)) }
        guard let newest = theirs.newest else { return .remoteNotPrimary }
        return newest.state.isPrimary ? .splitBrain(.demotionNotFollowed(local: base.id)) : .remoteDemoted
    }

    /// What the source keeps for us without need: everything older than the common point.
    ///
    /// Not before the replica has a copy of its own of that point: after a demotion it has none.
    private func unneededOnSource(_ common: CommonPoint?) -> [UInt64] {
        guard let common, let base = mine.base, base.state.isNonPrimary else { return [] }
        return theirs.points.filter { $0.id < common.id && theirs.isLinked($0) }.map(\.id)
    }

    private func goOn(with unfinished: MirrorPoint, _ common: CommonPoint?) -> SnapshotPlan {
        let wanted = unfinished.mirror.primarySnapshotID
        guard let target = theirs.point(wanted), target.state.isPrimary else {
            guard let other = theirs.candidates(after: floor(common)).first else { return .wait(.targetLost(wanted)) }
            return begin(other, common, replacing: unfinished, headIsTorn: true)
        }
        guard target.isComplete else { return .wait(.sourceSnapshotIncomplete(wanted)) }
        return .resume(.init(
            local: unfinished.id, from: common?.id, to: wanted, localStart: mine.base?.id,
            firstObject: unfinished.mirror.lastCopiedObject))
    }

    private func next(after common: CommonPoint?) -> SnapshotPlan {
        guard let target = theirs.candidates(after: floor(common)).first else { return resting(common) }
        guard target.isComplete else { return .wait(.sourceSnapshotIncomplete(target.id)) }
        if let base = mine.base, base.state.isNonPrimary, !SealedPoint.isSealed(base.mirror) { return .seal(base.id) }
        return begin(target, common, replacing: nil, headIsTorn: false)
    }

    private func begin(
        _ target: MirrorPoint, _ common: CommonPoint?, replacing: MirrorPoint?, headIsTorn: Bool
    ) -> SnapshotPlan {
        guard target.isComplete else { return .wait(.sourceSnapshotIncomplete(target.id)) }
        let isExact = !headIsTorn && (common?.isExact ?? true)
        return .sync(.init(
            from: common?.id, to: target.id, localStart: mine.base?.id, replaces: replacing?.id,
            isDemotion: target.state.isDemoted, baseIsExact: isExact,
            isClean: isExact && common != nil && target.mirror.primarySnapshotID == common?.id))
    }

    private func resting(_ common: CommonPoint?) -> SnapshotPlan {
        if theirs.newest?.state.isDemoted == true { return .stop(.remoteDemoted) }
        let isMissingSome = theirs.points.contains { $0.state.isPrimary && $0.isComplete && $0.id > floor(common) }
        return isMissingSome || mine.base == nil ? .wait(.notLinked) : .idle
    }

    /// Source snapshots up to this id are in the replica.
    private func floor(_ common: CommonPoint?) -> UInt64 {
        guard let base = mine.base, base.state.isNonPrimary else { return common?.id ?? 0 }
        return max(common?.id ?? 0, base.mirror.primarySnapshotID)
    }
}

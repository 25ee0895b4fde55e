extension ImageMapPolicy {
    /// Sets the daemon that shall serve an image and keeps count.
    mutating func retarget(_ globalID: String, to target: String?) {
        guard let image = images[globalID], image.target != target else { return }
        images[globalID]!.target = target
        if let old = image.target {
            let count = count(of: old) - 1
            load[old] = count > 0 ? count : nil
        }
        if let target { load[target, default: 0] += 1 }
    }

    /// The daemon an image shall be served by: where it is, or the least loaded one.
    func home(of globalID: String) -> String? {
        guard let image = images[globalID] else { return nil }
        let current = image.target ?? image.holder
        switch settings.spread {
        case .leaderOnly:
            // What an unheard daemon may be serving stays with it until its fate is known.
            return current.flatMap { awaited.contains($0) ? $0 : nil } ?? own
        case .even:
            if let current, isThere(current) { return current }
            if case .at(let mapped) = image.mapping, isThere(mapped) { return mapped }
            return leastLoaded
        }
    }

    private var leastLoaded: String? {
        live.min { (count(of: $0), $0) < (count(of: $1), $1) }
    }

    /// Moves images from daemons that serve too many to those that serve too few.
    ///
    /// Those that were moved lately stay; balance is then looked at again when the first of them may move.
    mutating func rebalance(at now: Duration) {
        rebalanceAt = nil
        guard settings.spread == .even, live.count > 1 else { return }
        var candidates = Dictionary(grouping: images.filter { $0.value.target.map(live.contains) == true }) { $0.value.target! }
            .mapValues { group in
                group.map { (globalID: $0.key, movableAt: $0.value.movableAt) }
                    .sorted { ($0.movableAt, $0.globalID) > ($1.movableAt, $1.globalID) }
            }
        while let poorest = leastLoaded {
            let rich = live.filter { count(of: $0) > count(of: poorest) + 1 }.sorted { (count(of: $1), $0) < (count(of: $0), $1) }
            guard !rich.isEmpty else { return }
            let movable = rich.first { id in candidates[id]?.last.map { $0.movableAt <= now } == true }
            guard let movable, let image = candidates[movable]?.popLast() else {
                rebalanceAt = rich.compactMap { candidates[$0]?.last?.movableAt }.min()
                return
            }
            retarget(image.globalID, to: poorest)
        }
    }
}

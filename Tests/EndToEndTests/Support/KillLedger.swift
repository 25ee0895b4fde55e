import TestSupport

/// Which steps daemons were killed at, and which steps there are.
struct KillLedger {
    typealias Part = ImageLife.Part

    /// When to kill.
    enum Aim: Sendable {
        /// After so many changes of one kind.
        case step(SyncStep, times: Int)
        /// After so many steps of any kind; changes of one kind in a row are one.
        case anyStep(number: Int)
    }

    private var hits: [Part: [SyncStep: Int]] = [:]
    /// How often a step came in one run of a daemon.
    private var seen: [Part: [SyncStep: Int]] = [:]
    /// What only a daemon does that goes on where another was killed.
    private var recovery: [Part: Set<SyncStep>] = [:]
    private(set) var kills = 0
    private(set) var missed = 0

    /// What a run of a daemon did, from the beginning to its end.
    mutating func noteRun(_ steps: [SyncStep], in part: Part) {
        for (step, count) in Dictionary(steps.map { ($0, 1) }, uniquingKeysWith: +) {
            seen[part, default: [:]][step] = max(seen[part]?[step] ?? 0, count)
        }
    }

    /// The last step before a kill is the one that was hit.
    mutating func noteKill(_ steps: [SyncStep], in part: Part, aim: Aim, reached: Bool) {
        noteRun(steps, in: part)
        kills += 1
        if !reached { missed += 1 }
        if !reached, case .step(let step, _) = aim { recovery[part, default: []].insert(step) }
        if let last = steps.last { hits[part, default: [:]][last, default: 0] += 1 }
    }

    /// One of the steps that were hit least; while none is known, any.
    ///
    /// - Parameter isFirst: No other daemon was killed in this part.
    func aim(in part: Part, isFirst: Bool, _ random: inout SeededRandom) -> Aim {
        let known = (seen[part] ?? [:]).filter { !isFirst || recovery[part]?.contains($0.key) != true }
        guard !known.isEmpty, isFirst || random.oneIn(2) else { return .anyStep(number: 1 + random.below(20)) }
        let fewest = known.keys.map { hits[part]?[$0] ?? 0 }.min()!
        let rarest = known.keys.filter { hits[part]?[$0] ?? 0 == fewest }.sorted()
        let step = rarest[random.below(rarest.count)]
        return .step(step, times: 1 + random.below(known[step]!))
    }

    /// What was hit how often, part by part, and what never.
    var table: String {
        Part.allCases.compactMap { part in
            seen[part].map { steps in
                let hits = hits[part] ?? [:]
                let lines = hits.sorted { $0.key < $1.key }.map { "    \($0.value) × \($0.key)" }
                let never = steps.keys.filter { hits[$0] == nil }.sorted().map(\.description)
                return "  \(part): \(hits.values.reduce(0, +)) kills at \(hits.count) of \(steps.count) steps\n"
                    + lines.joined(separator: "\n") + (never.isEmpty ? "" : "\n    never: \(never.joined(separator: ", "))")
            }
        }.joined(separator: "\n")
    }
}

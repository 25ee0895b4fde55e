import CephSandbox
import TestSupport

/// Sees what a daemon of site B does to an image, step by step, so that a test can act at a chosen one.
struct StepWatch {
    private let scene: Scene
    private var logs: [MutationLog]
    private var steps: [SyncStep] = []

    /// What comes from now on is the daemon's doing: nobody else is to change these pools.
    ///
    /// - Parameter sites: Where the daemon is watched; site B alone by default.
    init(_ scene: Scene, pools: [String], on sites: [Site]? = nil) async throws {
        self.scene = scene
        logs = []
        for site in sites ?? [scene.siteB] { logs.append(try await MutationLog(site, pools: pools)) }
    }

    /// Waits until a daemon has come to a step, or has nothing left to do; returns whether it came so far.
    ///
    /// With the OSD slowed down the daemon does not get far meanwhile.
    /// - Parameters:
    ///   - patience: How long the daemon may take to begin.
    ///   - pause: How long between two steps; a daemon that compares changes nothing.
    mutating func reach(
        _ aim: KillLedger.Aim, _ daemon: AnyDaemon, patience: Duration = .seconds(8), pause: Duration = .seconds(4)
    ) async throws -> Bool {
        var latest = ContinuousClock.now
        while true {
            if try look() { latest = .now }
            if isReached(aim) { return true }
            if latest.duration(to: .now) > (steps.isEmpty ? patience : pause) { return false }
            guard daemon.isRunning else { throw ToolFailure(tool: "rbd-mirror", text: "it ended\n\(daemon.logTail())") }
            try await ContinuousClock().sleep(for: .milliseconds(1))
        }
    }

    /// Kills a daemon at a step; returns what it did, and whether it came so far.
    mutating func kill(
        _ daemon: MirrorDaemon, at aim: KillLedger.Aim, patience: Duration = .seconds(8), pause: Duration = .seconds(4)
    ) async throws -> (steps: [SyncStep], reached: Bool) {
        let reached = try await reach(aim, .ours(daemon), patience: patience, pause: pause)
        try await daemon.kill()
        try await scene.siteB.goAtFullSpeed()
        return (try take(), reached)
    }

    /// What was done since the last call, or the beginning.
    mutating func take() throws -> [SyncStep] {
        _ = try look()
        defer { steps = [] }
        return steps
    }

    private mutating func look() throws -> Bool {
        var new: [SyncStep] = []
        for index in logs.indices { new += try logs[index].next().compactMap(SyncStep.init) }
        steps += new
        return !new.isEmpty
    }

    private func isReached(_ aim: KillLedger.Aim) -> Bool {
        switch aim {
        case .step(let step, let times): steps.count { $0 == step } >= times
        case .anyStep(let number): !steps.isEmpty && zip(steps, steps.dropFirst()).count { $0 != $1 } + 1 >= number
        }
    }

    /// Has the OSDs keep quiet again.
    func close() async throws { for site in scene.sites { try await MutationLog.end(site) } }
}

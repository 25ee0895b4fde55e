import CephSandbox
import Foundation

/// The rows of the table, on one pair of clusters with one daemon that is up and idle.
struct Stage {
    let contender: Contender
    let sites: Sites
    let daemon: RunningDaemon
    let patience: Duration

    /// From the source's first mirror snapshot to the replica's.
    func firstSync(_ name: String) async throws -> (Sample, MirroredImage) {
        let pool = Sites.poolName
        var image: MirroredImage?
        let sample = try await measure(.firstSync) {
            async let command: String = sites.pair.siteA.rbd("mirror", "image", "enable", "\(pool)/\(name)", "snapshot")
            let found = try await sites.waitForRecord(of: name)
            image = found
            let start = try await sites.waitForPoint(of: found, after: 0)
            let end = try await sites.waitForReplica(of: found, at: start.point)
            _ = try await command
            return (start.at, end)
        }
        try await sites.verify(image!)
        return (sample, image!)
    }

    /// From the source's mirror snapshot to the replica's.
    func scatteredDelta(_ image: MirroredImage) async throws -> Sample {
        try await sites.write(image, size: "4K", total: "32M", tasks: 16)
        let sample = try await snapshotAndMeasure(.scatteredDelta, image, fromTheCommand: false)
        try await sites.verify(image)
        return sample
    }

    /// From the start of the command to the replica's mirror snapshot; and the command's part of it.
    func smallDelta(_ image: MirroredImage) async throws -> [Sample] {
        try await sites.write(image, size: "64K", total: "64K", tasks: 1)
        var command = 0.0
        let sample = try await snapshotAndMeasure(.smallDelta, image, fromTheCommand: true) { command = $0 }
        return [sample, Sample(
            row: .smallDeltaCommand, contender: sample.contender, seconds: command, usage: sample.usage, busy: sample.busy,
            strangers: sample.strangers)]
    }

    /// From the announcement of all to the completion of the last.
    func newImages(_ new: HeldBackImages) async throws -> Sample {
        let sample = try await measure(.newImages) {
            let start = ContinuousClock.now
            try await new.announce()
            var end = start
            for image in new.images {
                end = max(end, try await sites.waitForReplica(of: image, at: try await sites.newestPoint(image)))
            }
            return (start, end)
        }
        for image in new.images { try await sites.verify(image) }
        return sample
    }

    /// As ``scatteredDelta(_:)``, where nearly every write makes an object.
    func smallObjectDelta() async throws -> Sample {
        try await sites.pair.siteA.rbd("create", "\(Sites.poolName)/thin", "--size", "2G", "--object-size", "64K")
        let image = try await sites.enableMirroring("thin")
        _ = try await sites.waitForReplica(of: image, at: try await sites.newestPoint(image))
        try await sites.write(image, size: "4K", total: "32M", tasks: 16)
        return try await snapshotAndMeasure(.smallObjectDelta, image, fromTheCommand: false)
    }

    func loop(_ kind: LoopSample.Kind, _ image: MirroredImage, depth: Int) async throws -> LoopSample {
        try await waitForQuietMachine()
        let machine = try MachineUsage(own: ownProcesses)
        let (seconds, bytes) = switch kind {
        case .copy: try await CopyLoop(sites: sites, image: image).run(depth: depth)
        case .scattered: try await ScatteredLoop(sites: sites, image: image).run(depth: depth)
        }
        let strangers = try MachineUsage(own: ownProcesses).strangers(since: machine)
        say("\(kind.rawValue), \(depth) deep: \(seconds.text) s; strangers took \(Int(strangers * 100)) % of the machine")
        return LoopSample(kind: kind, depth: depth, seconds: seconds, bytes: bytes, strangers: strangers)
    }

    private func snapshotAndMeasure(
        _ row: Row, _ image: MirroredImage, fromTheCommand: Bool, commandTook: (Double) -> Void = { _ in }
    ) async throws -> Sample {
        try await sites.settle(image)
        let old = try await sites.newestPoint(image)
        return try await measure(row) {
            let beginning = ContinuousClock.now
            async let command: Void = sites.takeMirrorSnapshot(image)
            let start = try await sites.waitForPoint(of: image, after: old)
            let end = try await sites.waitForReplica(of: image, at: start.point)
            try await command
            commandTook(beginning.duration(to: start.at) / .seconds(1))
            return (fromTheCommand ? beginning : start.at, end)
        }
    }

    private func measure(
        _ row: Row, _ work: () async throws -> (ContinuousClock.Instant, ContinuousClock.Instant)
    ) async throws -> Sample {
        try await waitForQuietMachine()
        let process = daemon.processID
        try ProcessUsage.resetPeak(process)
        let before = try ProcessUsage(of: process)
        let machine = try MachineUsage(own: ownProcesses)
        let (start, end) = try await work()
        let usage = try ProcessUsage(of: process).since(before)
        let after = try MachineUsage(own: ownProcesses)
        let strangers = after.strangers(since: machine)
        let sample = Sample(
            row: row, contender: contender.name, seconds: start.duration(to: end) / .seconds(1), usage: usage,
            busy: after.busy(since: machine), strangers: strangers)
        say("\(contender.name), \(row.title): \(sample.seconds.text) s, \(usage.peakBytes >> 20) MiB, "
            + "\(usage.processorSeconds.text) s of processor time; the machine was \(Int(sample.busy * 100)) % busy, \(Int(strangers * 100)) % with strangers")
        return sample
    }

    private var ownProcesses: [Int32] {
        (sites.pair.siteA.daemons + sites.pair.siteB.daemons).compactMap(\.processID) + [daemon.processID]
    }

    func waitForQuietMachine() async throws { try await waitForQuiet(patience) }
}

/// Waits until two seconds have passed with three quarters of the machine free, or patience is over.
func waitForQuiet(_ patience: Duration) async throws {
    let limit = ContinuousClock.now + patience
    var quiet = 0
    while quiet < 4, ContinuousClock.now < limit {
        let before = try MachineUsage(own: [])
        try await Task.sleep(for: .milliseconds(500))
        let after = try MachineUsage(own: [])
        let busy = (after.busySeconds - before.busySeconds) / max(0.01, after.totalSeconds - before.totalSeconds)
        quiet = busy < 0.25 ? quiet + 1 : 0
    }
}

import CephCore
import CephSandbox
import Foundation
import RBDImage

/// The rows of images that are mirrored by journal; the daemon is started where that is measured.
struct JournalStage {
    let contender: Contender
    let sites: Sites
    let patience: Duration
    let repeats: Int

    func run(_ rows: [Row]) async throws -> [Sample] {
        var samples: [Sample] = []
        if rows.contains(.backlog) { samples.append(try await backlog(.backlog, size: "64K", total: "256M")) }
        if rows.contains(.largeBacklog) { samples.append(try await backlog(.largeBacklog, size: "64K", total: "1G")) }
        if rows.contains(.smallBacklog) { samples.append(try await backlog(.smallBacklog, size: "4K", total: "80M")) }
        if rows.contains(.liveWrite) { samples += try await liveWrites() }
        return samples
    }

    /// From the start of the daemon until a snapshot is there that was made behind all writes.
    private func backlog(_ row: Row, size: String, total: String) async throws -> Sample {
        let (image, id) = try await followedImage("backlog-\(row.rawValue)", mebibytes: 1024)
        try await sites.write(image, size: size, total: total, tasks: 16)
        try await sites.pair.siteA.rbd("snap", "create", "--no-progress", "\(Sites.poolName)/\(image.name)@end")
        try await waitForQuiet(patience)
        let own = sites.pair.siteA.daemons + sites.pair.siteB.daemons
        let before = try MachineUsage(own: own.compactMap(\.processID))
        let start = ContinuousClock.now
        let daemon = try await contender.start(on: sites.pair)
        let (_, end) = try await sites.poll("the backlog of \(image.name) is replayed") {
            try await sites.replica.imageHeader(id).userSnapshots.contains { $0.name == "end" } ? true : nil
        }
        let usage = try ProcessUsage(of: daemon.processID)
        let after = try MachineUsage(own: own.compactMap(\.processID) + [daemon.processID])
        let sample = Sample(
            row: row, contender: contender.name, seconds: start.duration(to: end) / .seconds(1), usage: usage,
            busy: after.busy(since: before), strangers: after.strangers(since: before))
        report(sample)
        try await daemon.stop()
        try await sites.verify(image)
        return sample
    }

    /// From the acknowledgement of a write until the replica's object has it; a second apart.
    private func liveWrites() async throws -> [Sample] {
        let (image, id) = try await followedImage("live", mebibytes: 64)
        let daemon = try await contender.start(on: sites.pair)
        let header = try await sites.replica.imageHeader(id)
        let handle = try await sites.source.openImage(image.name, for: .readWrite)
        var samples: [Sample] = []
        for number in 0...repeats {
            let bytes = [UInt8](repeating: UInt8(1 + number), count: 4096)
            let before = try ProcessUsage(of: daemon.processID)
            let machine = try MachineUsage(own: [daemon.processID])
            try await handle.write(bytes, at: 0)
            try await handle.flush()
            let start = ContinuousClock.now
            let (_, end) = try await sites.poll("a write to \(image.name) is readable") {
                (try? await sites.replica.read(header.objectName(0), length: 4096)) == bytes ? true : nil
            }
            let after = try MachineUsage(own: [daemon.processID])
            let sample = Sample(
                row: .liveWrite, contender: contender.name, seconds: start.duration(to: end) / .seconds(1),
                usage: try ProcessUsage(of: daemon.processID).since(before), busy: after.busy(since: machine),
                strangers: after.strangers(since: machine))
            // Before the first one the daemon may just have begun.
            if number > 0 {
                report(sample)
                samples.append(sample)
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 500...1500)))
        }
        try await handle.close()
        try await daemon.stop()
        return samples
    }

    /// Makes an image that has been copied and is replayed, and stops the daemon again. Returns the replica's id, too.
    private func followedImage(_ name: String, mebibytes: Int) async throws -> (MirroredImage, String) {
        let spec = "\(Sites.poolName)/\(name)"
        try await sites.pair.siteA.rbd(
            "create", spec, "--size", "\(mebibytes)M",
            "--image-feature", "layering,exclusive-lock,object-map,fast-diff,deep-flatten,journaling")
        try await sites.pair.siteA.rbd("mirror", "image", "enable", spec, "journal")
        let image = try await sites.find(name)
        let daemon = try await contender.start(on: sites.pair)
        let directory = MirrorDirectory(sites.replica)
        let id = try await sites.poll("\(name) is known at site B") { try await directory.imageID(ofGlobalID: image.globalID) }.0
        // A copy that has not ended would be made anew, of the backlog too, and nothing be replayed.
        _ = try await sites.poll("\(name) is replayed") {
            try await sites.pair.siteB.rbd("mirror", "image", "status", spec).contains("up+replaying") ? true : nil
        }
        try await sites.pair.siteA.rbd("snap", "create", "--no-progress", "\(spec)@begin")
        _ = try await sites.poll("\(name) is followed") {
            (try? await sites.replica.imageHeader(id))?.userSnapshots.contains { $0.name == "begin" } == true ? true : nil
        }
        try await daemon.terminate()
        return (image, id)
    }

    private func report(_ sample: Sample) {
        say("\(contender.name), \(sample.row.title): \(sample.seconds.text) s, \(sample.usage.peakBytes >> 20) MiB, "
            + "\(sample.usage.processorSeconds.text) s of processor time; the machine was \(Int(sample.busy * 100)) % busy")
    }
}

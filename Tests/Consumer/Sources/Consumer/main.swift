import CephCore
import CephSandbox
import Foundation
import JournalReplay
import RBDImage
import RBDMirroring
import Replication
import SnapshotDelta

// Uses each product once through its public interface, on a real cluster without a manager.

func expect(_ condition: Bool, _ what: String) {
    guard !condition else { return }
    print("not ok: \(what)")
    exitCode = 1
}
nonisolated(unsafe) var exitCode: Int32 = 0

var configuration = SandboxConfiguration()
configuration.manager = false
try await withSandboxCluster("consumer", configuration) { sandbox in
    try await sandbox.createPool("images")
    _ = try await sandbox.rbd("create", "images/one", "--size", "64M")

    let cluster = try await Cluster.connect(.configurationFile(sandbox.configurationFile.string))
    let pool = try await cluster.pool("images")
    guard let id = try await pool.imageID(named: "one") else { return expect(false, "the image has an id") }
    let header = try await pool.imageHeader(id)
    expect(header.size == 64 << 20, "the header says 64 MiB")
    expect(header.objectCount(forSize: header.size) == 16, "16 objects of 4 MiB")
    let map = try await pool.objectMap(ObjectNames.objectMap(id))
    expect(map.count == 16, "the object map has 16 entries")
    let source = try await SourceImage.load(id, in: pool)
    expect(source.header.snapshots.isEmpty, "no snapshots yet")
    expect(SnapshotPlanner.plan(
        local: [], remote: header.snapshots,
        context: .init(localMirrorUUID: "b", remoteMirrorUUID: "a", remotePeerUUID: "p")) != .idle, "nothing to be idle about")

    _ = try await sandbox.rbd("create", "images/told", "--size", "1M", "--image-feature", "exclusive-lock,journaling")
    try await pool.withImage("told", for: .readWrite) { try await $0.write([1, 2, 3], at: 4) }
    guard let told = try await pool.imageID(named: "told") else { return expect(false, "the image with a journal has an id") }
    var writes: [Range<UInt64>] = []
    for try await entry in try await Journal(ofImage: told, in: pool).entries() {
        if case .write(let write) = entry.event { writes.append(write.range) }
    }
    expect(writes == [4..<7], "the journal tells of the write")
    await cluster.shutdown()
}

var backoff = Backoff()
expect(backoff.next() > .zero, "a pause before the next try")
let finder = ExtentFinder(method: .checksums)
expect(finder.method == .checksums, "extents by checksum")
print(exitCode == 0 ? "consumer: ok" : "consumer: failed")
if exitCode != 0 { exit(exitCode) }

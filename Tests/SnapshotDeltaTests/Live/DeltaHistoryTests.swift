import CephCore
import CephSandbox
import SnapshotDelta
import TestSupport
import Testing

/// Deltas between all points of images with random histories, judged by what the images read as.
@Suite(.timeLimit(.minutes(30))) struct DeltaHistoryTests {
    @Test(arguments: ImageKind.all) func betweenAnyTwoPoints(_ kind: ImageKind) async throws {
        for seed in 0..<Live.count {
            try await Live.withImages { pool, name in
                var history = ImageHistory(kind, seed: seed)
                try await history.make(name, in: pool)
                let points: [String?] = history.snapshots + [nil]
                let starts: [String?] = [nil] + history.snapshots
                var contents: [String?: [UInt8]] = [:]
                for point in points { contents[point] = try await pool.contents(of: name, at: point) }
                for (index, end) in points.enumerated() {
                    for start in starts[...index] {
                        let what = "\(start ?? "nothing") to \(end ?? "HEAD"); \(kind.testDescription) \(SeededRandom.hint) #\(seed)"
                        // Where a clone's objects hide the parent since, stock passes over them, whatever the parent had there.
                        let smallest = kind.isClone ? 0 : start == nil ? .max : history.smallestSize(from: start, to: end)
                        try await compare(
                            pool, name, start, end, start.map { contents[$0]! } ?? [], contents[end]!, smallest, what)
                    }
                }
            }
        }
    }

    private func compare(
        _ pool: Pool, _ name: String, _ start: String?, _ end: String?, _ before: [UInt8], _ after: [UInt8],
        _ smallest: UInt64, _ what: String
    ) async throws {
        try await pool.withImage(name, at: end.map { .snapshot($0) }) { image in
            let extents = try await all(SnapshotDelta(of: image, since: start.map { .snapshot($0) }))
            check(extents, before, after, what)
            // No more than stock's objects, or too much would be copied; but stock passes over those that were lost while the image
            // was smaller.
            let stock = try await wholeObjects(image, start)
            let info = try await image.info()
            let lost = smallest / (info.objectSize * info.stripeCount) * (info.objectSize * info.stripeCount)
            for extent in extents where extent.range.lowerBound < lost {
                if stock.contains(where: { $0.lowerBound <= extent.range.lowerBound && extent.range.upperBound <= $0.upperBound }) { continue }
                let differs = extent.range.contains { (Int($0) < before.count ? before[Int($0)] : 0) != after[Int($0)] }
                #expect(differs, "\(extent) is in no object that stock tells of and does not differ; \(what)")
            }
            let checksums = try await all(SnapshotDelta(
                of: image, since: start.map { .snapshot($0) }, finder: .init(method: .checksums), limits: .init(objectsInFlight: 3)))
            check(checksums, before, after, "by checksums, \(what)")
        }
    }

    /// Whether the older point becomes the newer one.
    private func check(_ extents: [SnapshotDelta.Extent], _ before: [UInt8], _ after: [UInt8], _ what: String) {
        var image = Array(before.prefix(after.count))
        image += [UInt8](repeating: 0, count: after.count - image.count)
        var last: UInt64 = 0
        for extent in extents {
            guard extent.range.lowerBound >= last, extent.range.upperBound <= UInt64(after.count), !extent.range.isEmpty else {
                Issue.record("\(extent) is out of place; \(what)")
                return
            }
            last = extent.range.upperBound
            let range = Int(extent.range.lowerBound)..<Int(extent.range.upperBound)
            image.overwrite(range, from: extent.isHole ? nil : after)
        }
        guard !image.hasSameBytes(as: after) else { return }
        let place = zip(image, after).enumerated().first { $0.element.0 != $0.element.1 }!.offset
        Issue.record("differs from byte \(place) of \(after.count); \(what)\n\(extents.prefix(40))")
    }

    /// What `rbd diff --whole-object` tells, neighbours joined.
    private func wholeObjects(_ image: Image, _ start: String?) async throws -> [Range<UInt64>] {
        var found: [Range<UInt64>] = []
        for try await extent in image.changes(since: start, wholeObjects: true) { found.append(extent.range) }
        return found.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { joined, range in
            if let last = joined.last, last.upperBound >= range.lowerBound {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else { joined.append(range) }
        }
    }
}

func all(_ delta: SnapshotDelta) async throws -> [SnapshotDelta.Extent] {
    var extents: [SnapshotDelta.Extent] = []
    for try await extent in delta { extents.append(extent) }
    return extents
}

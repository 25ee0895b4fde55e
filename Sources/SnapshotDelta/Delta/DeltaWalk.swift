internal import RBDImage

/// One walk over an image's delta: its own extents and those of its parent, merged in ascending order.
final class DeltaWalk {
    let scan: DeltaScan
    private let limits: CopyLimits
    private let ahead: ReadAhead<DeltaStretches.Stretch, DeltaScan.Findings>
    private var parent: ParentExtents?
    /// Looked at before both points were seen again, in order.
    private var proved: ArraySlice<DeltaScan.Findings> = []
    private var found: ArraySlice<SnapshotDelta.Extent> = []
    private var isFinished = false

    init(_ scan: DeltaScan, limits: CopyLimits) {
        self.scan = scan
        self.limits = limits
        ahead = ReadAhead(width: limits.objectsInFlight, scan.stretches) { try await scan.look(at: $0) }
    }

    /// The next extent; nil once both points have been seen again at the end.
    func next() async throws -> SnapshotDelta.Extent? {
        while found.isEmpty {
            if let findings = proved.popFirst() {
                found = try await merged(findings)[...]
            } else if isFinished {
                return nil
            } else {
                try await lookOn()
            }
        }
        return found.removeFirst()
    }

    /// Takes what is found next and shows that the points are still there: of a removed snapshot, and of objects that are trimmed
    /// for it, everything looks absent. Many stretches share one proof; the next ones are looked at meanwhile.
    private func lookOn() async throws {
        while proved.count < limits.objectsInFlight, !isFinished {
            if let findings = try await ahead.next() { proved.append(findings) } else { isFinished = true }
        }
        try await scan.proof.prove()
    }

    private func merged(_ findings: DeltaScan.Findings) async throws -> [SnapshotDelta.Extent] {
        guard !findings.parentShows.isEmpty, let origin = scan.parent else { return findings.extents }
        if parent == nil { parent = ParentExtents(DeltaWalk(try await DeltaScan.load(origin), limits: limits)) }
        let shown = try await parent!.parts(within: findings.parentShows)
        return (findings.extents + shown.map { .init(range: $0, isHole: false) }).inOrder()
    }
}

/// What a parent has, asked for in ascending order.
private final class ParentExtents {
    private let walk: DeltaWalk
    /// Read already, and perhaps wanted by the next range too.
    private var current: SnapshotDelta.Extent?

    init(_ walk: DeltaWalk) { self.walk = walk }

    /// The data within ranges that are ascending, from call to call too.
    func parts(within ranges: [Range<UInt64>]) async throws -> [Range<UInt64>] {
        var parts: [Range<UInt64>] = []
        for range in ranges {
            while let extent = try await extent(endingAfter: range.lowerBound), extent.range.lowerBound < range.upperBound {
                if !extent.isHole { parts.append(extent.range.clamped(to: range)) }
                if extent.range.upperBound > range.upperBound { break }
                current = nil
            }
        }
        return parts
    }

    private func extent(endingAfter offset: UInt64) async throws -> SnapshotDelta.Extent? {
        while true {
            if current == nil { current = try await walk.next() }
            guard let extent = current, extent.range.upperBound <= offset else { return current }
            current = nil
        }
    }
}

internal import CephCore
internal import RBDImage

/// Finds the extents of one stretch of an image at a time, between two points that it has looked up.
struct DeltaScan: Sendable {
    let source: SourceImage
    /// Nil for the beginning of time.
    let start: DeltaPoint?
    let end: DeltaPoint
    /// The data pool, seen at the newer point.
    private let pool: Pool
    /// What the object maps say; nil where they cannot be trusted and each object must be asked.
    private let states: ObjectDeltaMap?
    /// The objects to ask by that account.
    private let asked: ObjectSet?
    private let view: DeltaView
    private let finder: ExtentFinder
    let proof: SourceProof
    /// What the parent has, where it counts.
    let parent: DeltaOrigin?

    /// What one stretch holds.
    struct Findings: Sendable {
        /// The image's own, in ascending order.
        var extents: [SnapshotDelta.Extent] = []
        /// Where the parent shows, if its delta counts; ascending.
        var parentShows: [Range<UInt64>] = []
    }

    /// Looks up the points, reads the object maps and shows that both belong together.
    static func load(_ origin: DeltaOrigin) async throws -> DeltaScan {
        let source = try await SourceImage.load(origin.imageID, in: origin.pool)
        let header = source.header
        let subject = "\(origin.pool.spec)/\(origin.imageID)"
        guard let end = origin.end.map({ header.point(.snapshotID($0), mayBeTrash: origin.mayBeTrash) }) ?? header.headPoint else {
            throw DeltaError(.pointMissing, "\(subject)@id \(origin.end!)")
        }
        let start = try origin.start.map { reference in
            guard let point = header.point(reference) else { throw DeltaError(.pointMissing, "\(subject)@\(reference)") }
            guard point.id <= end.id else { throw DeltaError(.pointsReversed, "\(subject)@\(reference)") }
            return point
        }
        let history = SourceHistory(source)
        let states = origin.usesMaps ? try await history.delta(from: start?.id, to: end.id, for: .comparison) : nil
        var asked = states?.touchedSet
        if let states {
            asked!.formUnion(try await history.suspects(in: states, from: start?.id, to: end.id, lost: [], earlier: []))
        }
        let proof = SourceProof {
            let now = try await source.reloaded().header
            for point in [start, end].compactMap({ $0 }) where !now.still(has: point, mayBeTrash: origin.mayBeTrash) {
                throw DeltaError(.pointChanged, "\(subject)@" + (point.name ?? "HEAD"))
            }
        }
        try await proof.prove()
        let parent = start == nil && origin.includesParent ? try await header.parentOrigin(at: end, for: origin) : nil
        return try DeltaScan(source, start, end, states, asked, proof, parent, origin.finder)
    }

    private init(
        _ source: SourceImage, _ start: DeltaPoint?, _ end: DeltaPoint, _ states: ObjectDeltaMap?, _ asked: ObjectSet?,
        _ proof: SourceProof, _ parent: DeltaOrigin?, _ finder: ExtentFinder
    ) throws {
        self.source = source
        self.start = start
        self.end = end
        self.states = states
        self.asked = asked
        self.finder = finder
        self.proof = proof
        self.parent = parent
        pool = try source.dataPool.reading(at: end.isHead ? nil : end.id)
        view = DeltaView(
            layout: source.header.layout, size: end.size, startOverlap: start?.overlap ?? 0, endOverlap: start == nil ? 0 : end.overlap)
    }

    /// The stretches to look at, ascending.
    var stretches: DeltaStretches {
        let layout = source.header.layout
        let count = layout.objectCount(forSize: end.size)
        guard start?.id != end.id else { return DeltaStretches(layout: layout, objects: [], covered: 0..<0) }
        guard let asked else {
            return DeltaStretches(layout: layout, objects: 0..<count, covered: 0..<(parent == nil ? 0 : end.overlap))
        }
        let touched = asked.members.lazy.filter { $0 < count }
        guard let start else { return DeltaStretches(layout: layout, objects: touched, covered: 0..<(parent == nil ? 0 : end.overlap)) }
        // Where more or less of the parent shows than before, objects that nobody touched count too.
        let changed = min(start.overlap, end.overlap)..<min(max(start.overlap, end.overlap), end.size)
        let all = AscendingUnion(touched, changed.isEmpty ? 0..<0 : layout.objectNumbers(of: changed, below: count))
        return DeltaStretches(layout: layout, objects: all, covered: 0..<0)
    }

    /// Finds what a stretch holds, if both points are still there afterwards: that is for the caller to prove.
    func look(at stretch: DeltaStretches.Stretch) async throws -> Findings {
        var findings = Findings()
        var absent: [UInt64] = []
        for number in stretch.objects {
            let change: ObjectChange
            if let states, states[Int(number)] == .holeUpdated {
                change = .gone(sizeAtStart: source.header.layout.objectSize)
            } else {
                change = try await self.change(of: number)
            }
            findings.extents += view.extents(of: change, object: number)
            if !change.existsAtEnd { absent.append(number) }
        }
        findings.extents = findings.extents.inOrder()
        if parent != nil { findings.parentShows = parentShows(in: stretch, absent) }
        return findings
    }

    private func change(of number: UInt64) async throws -> ObjectChange {
        let name = source.header.objectName(number)
        let objectSize = source.header.layout.objectSize
        return try await yieldingToCancellation { [finder, start, end, pool] in
            var history = ObjectHistory(name: name)
            return try await finder.change(of: &history, from: start?.id ?? 0, to: end.id, in: pool, objectSize: objectSize)
        }
    }

    /// Where the image has no object of its own: those that were not there when asked, and those that need not be asked.
    private func parentShows(in stretch: DeltaStretches.Stretch, _ absent: [UInt64]) -> [Range<UInt64>] {
        let layout = source.header.layout
        let limit = 0..<end.overlap
        guard !stretch.objects.isEmpty else {
            let period = layout.objectSize * layout.stripeCount
            return [(stretch.periods.lowerBound * period..<stretch.periods.upperBound * period).clamped(to: limit)]
        }
        let numbers = stretch.periods.lowerBound * layout.stripeCount..<stretch.periods.upperBound * layout.stripeCount
        let there = Set(stretch.objects).subtracting(absent)
        return numbers.lazy.filter { !there.contains($0) }.flatMap { view.imageRanges(of: $0) }
            .map { $0.clamped(to: limit) }.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    }
}

extension ImageLayout {
    /// The objects whose periods a part of the image touches.
    fileprivate func objectNumbers(of range: Range<UInt64>, below count: UInt64) -> Range<UInt64> {
        let period = objectSize * stripeCount
        let first = range.lowerBound / period * stripeCount
        let end = ((range.upperBound - 1) / period + 1) * stripeCount
        return min(first, count)..<min(end, count)
    }
}

extension ImageHeader {
    /// The parent's delta from the beginning of time, where it shows at a point.
    fileprivate func parentOrigin(at point: DeltaPoint, for child: DeltaOrigin) async throws -> DeltaOrigin? {
        guard point.overlap > 0, let parent, parent.poolID >= 0 else { return nil }
        let pool = try await child.pool.cluster.pool(id: parent.poolID).inNamespace(parent.namespace)
        return DeltaOrigin(
            imageID: parent.imageID, pool: pool, start: nil, end: parent.snapshotID, includesParent: true, usesMaps: child.usesMaps, finder: child.finder,
            mayBeTrash: true)
    }
}

public import CephCore
internal import RBDImage

/// What differs in an image between two of its points.
///
///     let image = try await pool.openImage("vm-17", at: .snapshot("tuesday"))
///     for try await extent in SnapshotDelta(of: image, since: .snapshot("monday")) { print(extent.range, extent.isHole) }
///
/// The newer point is the one the image was opened at, HEAD without one; the older is a snapshot of any kind or the beginning of
/// time. What lies between them does not matter: snapshots, changes of the size, discards, object maps that are missing or wrong.
///
/// An image at the older point becomes the newer one when it is given that size and each extent's bytes. Extents may hold bytes
/// that are the same at both ends: what was written back, and zeroes that were written as data.
///
/// - Note: HEAD must not be written to meanwhile. A snapshot that is removed, or a size that changes, ends the sequence with
///   ``DeltaError``.
public struct SnapshotDelta: AsyncSequence, Sendable {
    /// A stretch of the image that differs.
    public struct Extent: Hashable, Sendable {
        /// Image offsets.
        public let range: Range<UInt64>
        /// It reads as zeroes at the newer point, and nothing need be read for it.
        public let isHole: Bool

        public init(range: Range<UInt64>, isHole: Bool) {
            self.range = range
            self.isHole = isHole
        }
    }

    public let image: Image
    /// The older point; nil for the beginning of time.
    public let start: Image.SnapshotReference?
    let origin: DeltaOrigin
    let limits: CopyLimits

    /// - Parameters:
    ///   - image: Opened at the newer point.
    ///   - start: The older point; nil for the beginning of time, when everything that is there differs.
    ///   - includingParent: Whether what a clone has from its parent differs from the beginning of time, as in
    ///     `rbd export-diff`. Between two points a clone's reads are compared whatever this says.
    ///   - usesObjectMaps: Whether objects that the maps call untouched are passed over. Maps do not tell what a rollback changed:
    ///     one to a snapshot that is there is noticed, one to a snapshot older than `start` that was removed afterwards is not.
    ///   - finder: How bytes are found within an object.
    ///   - limits: How many objects are asked at a time; twice as many are asked ahead of the reader.
    public init(
        of image: Image, since start: Image.SnapshotReference? = nil, includingParent: Bool = true,
        usesObjectMaps: Bool = true, finder: ExtentFinder = .init(), limits: CopyLimits = .init()
    ) {
        self.image = image
        self.start = start
        self.limits = limits
        origin = DeltaOrigin(
            imageID: image.id, pool: image.pool, start: start, end: image.snapshotID, includesParent: includingParent, usesMaps: usesObjectMaps,
            finder: finder)
    }

    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// Asks a limited number of objects ahead; that ends when the iterator is gone.
    public struct Iterator: AsyncIteratorProtocol {
        private let delta: SnapshotDelta
        private var walk: DeltaWalk?

        init(_ delta: SnapshotDelta) { self.delta = delta }

        /// The next extent: ascending, apart from each other, within the image's size at the newer point.
        ///
        /// What came is certain once the end has come: only then the points have been seen again.
        /// - Throws: ``DeltaError`` when a point is not there or goes away; `CephError`; `CancellationError` at once when cancelled.
        public mutating func next() async throws -> Extent? {
            if walk == nil { walk = try await delta.begin() }
            return try await walk!.next()
        }
    }

    /// Looks up the points and reads the object maps.
    func begin() async throws -> DeltaWalk {
        // What this handle has not written yet, objects do not show.
        if !image.access.isReadOnly, image.snapshotID == nil { try await image.flush() }
        return try await DeltaWalk(DeltaScan.load(origin), limits: limits)
    }
}

/// Which image's delta, and between which points, by what a header can tell.
struct DeltaOrigin: Sendable {
    let imageID: String
    let pool: Pool
    let start: Image.SnapshotReference?
    /// Nil for HEAD.
    let end: UInt64?
    let includesParent: Bool
    var usesMaps = true
    let finder: ExtentFinder
    /// A parent's snapshot may be in the trash while clones need it.
    var mayBeTrash = false
}

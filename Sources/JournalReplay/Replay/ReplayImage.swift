internal import CephCore
internal import RBDImage

/// The data of a replica, changed object by object, with its object map.
///
/// Nobody else writes to the image meanwhile: the map that is held here is the one that is stored.
final class ReplayImage {
    let replica: ReplicaImage
    private(set) var header: ImageHeader
    /// HEAD's; nil where there is none, or none to be trusted.
    private var map: ObjectMap?
    private var parent: ReplayParent?
    /// Objects that have what their parent had.
    private var isCopiedUp: Set<UInt64> = []
    /// Whether the map is being changed, and who waits for that.
    private var isMarking = false
    private var markers: [CheckedContinuation<Void, Never>] = []

    /// Changes of objects that may be under way.
    private static let width = 64

    init(_ replica: ReplicaImage) async throws {
        self.replica = replica
        header = try await replica.refresh()
        try await reload()
    }

    func close() async { await parent?.close() }

    /// Reads again what an operation has changed.
    func reload() async throws {
        header = try await replica.refresh()
        map = header.flags.isDisjoint(with: .invalidMaps) ? try await replica.loadObjectMap() : nil
        if header.parent?.headOverlap == nil {
            await parent?.close()
            parent = nil
        } else if parent == nil {
            parent = try await ReplayParent(of: header, in: replica.pool)
        }
    }

    /// Makes all changes of a batch; afterwards they are durable. Several may be under way that have no object in common.
    func apply(_ batch: ReplayBatch) async throws {
        let changes = batch.objects.filter { mayChange($0.key, $0.value) }.sorted { $0.key < $1.key }
        // Snapshots get it too, as librbd has it: rolled back to, after the image was made smaller, they are all there is of the parent.
        try await copyUp(changes.filter { !$0.value.removes || !header.snapshots.isEmpty }.map(\.key))
        // Where the parent would show again an empty object stays.
        let gone = changes.filter { $0.value.removes && !header.hasParent(at: $0.key) }.map(\.key)
        let goes = Set(gone)
        try await mark(changes.map { ($0.key, goes.contains($0.key) ? .pending : .exists) })
        let view = try replica.dataPool.writing(in: header.writeContext)
        try await forEach(changes) { [header] object, edits in
            try await edits.apply(to: header.objectName(object), in: view, keepsEmpty: !goes.contains(object))
        }
        try await mark(gone.map { ($0, .nonexistent) })
    }

    /// Gives objects what they show of the parent, so that they can be changed.
    func copyUp(_ objects: [UInt64]) async throws {
        guard let parent else { return }
        let missing = objects.filter { object in
            header.hasParent(at: object) && !isCopiedUp.contains(object) && (state(of: object) ?? .nonexistent) == .nonexistent
        }
        try await forEach(missing.map { ($0, ()) }) { [header, replica] object, _ in
            try await parent.copyUp(object, header, replica)
        }
        guard !missing.isEmpty else { return }
        isCopiedUp.formUnion(missing)
        for snapshot in header.snapshots {
            let count = header.objectCount(forSize: snapshot.size)
            let states = missing.filter { $0 < count }.map { ($0, ObjectState.exists) }
            try await replica.markObjects(Self.ranges(states), of: snapshot.id)
        }
        try await mark(missing.map { ($0, .exists) })
    }

    /// Runs a change of each object, some at a time.
    func forEach<Value: Sendable>(
        _ changes: [(key: UInt64, value: Value)], _ change: @escaping @Sendable (UInt64, Value) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, (object, value)) in changes.enumerated() {
                if index >= Self.width { try await group.next() }
                group.addTask { try await change(object, value) }
            }
            try await group.waitForAll()
        }
    }

    /// Records what becomes of objects, where that is not recorded yet; one call after the other, since some write the whole map.
    private func mark(_ states: [(UInt64, ObjectState)]) async throws {
        guard !states.isEmpty else { return }
        while isMarking { await withCheckedContinuation { markers.append($0) } }
        isMarking = true
        defer {
            isMarking = false
            if !markers.isEmpty { markers.removeFirst().resume() }
        }
        try await record(states)
    }

    private func record(_ states: [(UInt64, ObjectState)]) async throws {
        let count = header.objectCount(forSize: header.size)
        let new = states.filter { $0.0 < count && state(of: $0.0) != $0.1 }
        guard var map, !new.isEmpty else { return try await replica.markObjects(Self.ranges(new)) }
        for (object, state) in new { map[Int(object)] = state }
        let ranges = Self.ranges(new)
        if ranges.count > Self.mostRanges { try await replica.saveObjectMap(map) } else { try await replica.markObjects(ranges) }
        self.map = map
    }

    /// Of the object map, changed one by one; with more it is written as a whole.
    private static let mostRanges = 16

    /// Neighbours of one state together.
    private static func ranges(_ states: [(UInt64, ObjectState)]) -> [(Range<UInt64>, ObjectState)] {
        var ranges: [(Range<UInt64>, ObjectState)] = []
        for (object, state) in states {
            if let last = ranges.last, last.0.upperBound == object, last.1 == state {
                ranges[ranges.count - 1].0 = last.0.lowerBound..<object + 1
            } else {
                ranges.append((object..<object + 1, state))
            }
        }
        return ranges
    }

    /// Whether there is something to do: what is not there need not be emptied, unless the parent shows.
    private func mayChange(_ object: UInt64, _ edits: ObjectEdits) -> Bool {
        edits.creates || state(of: object) != .nonexistent || header.hasParent(at: object)
    }

    /// Nil for one that is not known.
    private func state(of object: UInt64) -> ObjectState? {
        guard let map else { return nil }
        return object < UInt64(map.count) ? map[Int(object)] : .nonexistent
    }
}

extension ImageHeader {
    /// Whether HEAD would see the parent where an object is missing.
    func hasParent(at object: UInt64) -> Bool {
        guard let overlap = parent?.headOverlap else { return false }
        return (layout.imageExtents(of: object, 0..<1).first?.lowerBound ?? .max) < overlap
    }
}

extension ObjectEdits {
    /// Makes the changes, all or none of them.
    ///
    /// - Parameter keepsEmpty: Whether an object that is to be removed stays, with nothing in it.
    func apply(to object: String, in view: Pool, keepsEmpty: Bool) async throws(CephError) {
        var operation = WriteOperation()
        for edit in edits {
            switch edit {
            case .write(let offset, let bytes): operation.write(bytes, at: offset)
            case .writeSame(let range, let pattern): operation.writeSame(pattern, over: range)
            case .zero(let range): operation.zero(range)
            case .truncate(let size): operation.truncate(to: size)
            case .remove:
                guard keepsEmpty else { return try await Self.remove(object, in: view) }
                operation.create(exclusive: false)
                operation.truncate(to: 0)
            }
        }
        do throws(CephError) { try await view.apply(operation, to: object) } catch {
            // Nothing that empties it makes an object.
            guard error.isNotFound, !creates else { throw error }
        }
    }

    private static func remove(_ object: String, in view: Pool) async throws(CephError) {
        var operation = WriteOperation()
        operation.remove()
        do throws(CephError) { try await view.apply(operation, to: object, flags: .evenWhenFull) } catch {
            guard error.isNotFound else { throw error }
        }
    }
}

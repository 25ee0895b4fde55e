@testable import CephCore
import TestSupport

/// An object as an OSD keeps it under self-managed snapshots.
struct ModelObject {
    struct Clone {
        var id: UInt64
        var snapshots: [UInt64]
        var data: [UInt8]
        /// For each byte, whether the next newer revision shares it.
        var shared: [Bool]
    }

    var head: [UInt8]?
    var sequence: UInt64 = 0
    var clones: [Clone] = []

    /// Changes the head under a context of live snapshots, newest first.
    ///
    /// - Returns: The bytes that the change touched, growth included.
    mutating func change(_ context: [UInt64], _ body: (inout [UInt8]?) -> Range<Int>) -> Set<Int> {
        if let data = head, let newest = context.first, newest > sequence {
            clones.append(Clone(
                id: newest, snapshots: context.filter { $0 > sequence }, data: data, shared: data.map { _ in true }))
        }
        let before = head?.count ?? 0
        let range = body(&head)
        let after = head?.count ?? 0
        let touched = Set(range).union(min(before, after)..<max(before, after))
        if !clones.isEmpty {
            for byte in touched where byte < clones[clones.count - 1].shared.count { clones[clones.count - 1].shared[byte] = false }
        }
        sequence = max(sequence, context.first ?? 0)
        return touched
    }

    mutating func write(_ range: Range<Int>, _ value: UInt8, _ context: [UInt64]) -> Set<Int> {
        change(context) { head in
            var data = head ?? []
            if data.count < range.upperBound { data += Array(repeating: 0, count: range.upperBound - data.count) }
            for byte in range { data[byte] = value }
            head = data
            return range
        }
    }

    /// Does nothing to a missing object.
    mutating func zero(_ range: Range<Int>, _ context: [UInt64]) -> Set<Int> {
        guard head != nil else { return [] }
        return change(context) { head in
            let part = range.clamped(to: 0..<head!.count)
            for byte in part { head![byte] = 0 }
            return part
        }
    }

    mutating func truncate(_ size: Int, _ context: [UInt64]) -> Set<Int> {
        guard head != nil else { return [] }
        return change(context) { head in
            head = Array((head! + Array(repeating: 0, count: size)).prefix(size))
            return 0..<0
        }
    }

    mutating func remove(_ context: [UInt64]) -> Set<Int> {
        guard let size = head?.count else { return [] }
        return change(context) { head in
            head = nil
            return 0..<size
        }
    }

    /// The snapshot is gone, and trimmed.
    mutating func trim(_ snapshot: UInt64) {
        for index in clones.indices { clones[index].snapshots.removeAll { $0 == snapshot } }
        while let index = clones.firstIndex(where: { $0.snapshots.isEmpty }) {
            if index > 0 {
                for byte in clones[index - 1].shared.indices where byte >= clones[index].shared.count || !clones[index].shared[byte] {
                    clones[index - 1].shared[byte] = false
                }
            }
            clones.remove(at: index)
        }
    }

    func read(at snapshot: UInt64) -> [UInt8]? {
        if snapshot > sequence { return head }
        guard let clone = clones.first(where: { $0.id >= snapshot }) else { return nil }
        return clone.snapshots.min()! <= snapshot ? clone.data : nil
    }

    /// As `list_snaps` shows it.
    var snapshotSet: ObjectSnapshotSet {
        let head = head.map { ObjectClone(id: .max - 1, snapshots: [], size: UInt64($0.count), overlap: []) }
        return ObjectSnapshotSet(sequence: sequence, clones: clones.map {
            ObjectClone(id: $0.id, snapshots: $0.snapshots, size: UInt64($0.data.count), overlap: Self.ranges($0.shared))
        } + (head.map { [$0] } ?? []))
    }

    static func ranges(_ flags: [Bool]) -> [Range<UInt64>] {
        var ranges: [Range<UInt64>] = []
        for (index, flag) in flags.enumerated() where flag {
            if let last = ranges.last, last.upperBound == UInt64(index) {
                ranges[ranges.count - 1] = last.lowerBound..<UInt64(index + 1)
            } else {
                ranges.append(UInt64(index)..<UInt64(index + 1))
            }
        }
        return ranges
    }
}

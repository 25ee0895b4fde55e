internal import RBDImage

/// Puts renames of user snapshots in an order in which no name is taken twice.
///
/// Where they go in a circle, or the holder of a name stays, a passing name is used. An interrupted order is put
/// right by the next pass, because snapshots are matched by id.
func orderedRenames(of snapshots: [ImageSnapshot], to names: [UInt64: String]) -> [(id: UInt64, name: String)] {
    var order = RenameOrder(snapshots, names)
    return order.run()
}

private struct RenameOrder {
    private var holder: [String: UInt64]
    private var current: [UInt64: String]
    private var waiting: [UInt64: String]
    private let wanted: Set<String>
    private var order: [(id: UInt64, name: String)] = []

    init(_ snapshots: [ImageSnapshot], _ names: [UInt64: String]) {
        let current = Dictionary(snapshots.map { ($0.id, $0.name) }) { first, _ in first }
        holder = Dictionary(snapshots.map { ($0.name, $0.id) }) { first, _ in first }
        waiting = names.filter { current[$0.key] != nil && current[$0.key] != $0.value }
        wanted = Set(names.values)
        self.current = current
    }

    mutating func run() -> [(id: UInt64, name: String)] {
        while let first = waiting.keys.min() {
            let free = waiting.keys.sorted().first { holder[waiting[$0] ?? ""] == nil }
            if let free, let name = waiting.removeValue(forKey: free) {
                rename(free, to: name)
            } else if let name = waiting[first], let blocker = holder[name] {
                rename(blocker, to: passingName(for: blocker))
            }
        }
        return order
    }

    private mutating func rename(_ id: UInt64, to name: String) {
        if let old = current[id] { holder[old] = nil }
        holder[name] = id
        current[id] = name
        order.append((id, name))
    }

    private func passingName(for id: UInt64) -> String {
        var suffix = 0
        while true {
            let name = ".rbd-mirror.renaming.\(id).\(suffix)"
            if holder[name] == nil, !wanted.contains(name) { return name }
            suffix += 1
        }
    }
}

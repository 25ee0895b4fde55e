/// A step of a daemon's work on an image, named after what it changes.
struct SyncStep: Hashable, Comparable, CustomStringConvertible, Sendable {
    let description: String

    static let dataWritten = SyncStep("data written")

    init(_ description: String) { self.description = description }

    /// Nil for what a daemon does all the time whatever becomes of an image.
    init?(_ mutation: Mutation) {
        guard let place = Self.place(mutation.object) else { return nil }
        let calls = mutation.operations.filter { !Self.isOfNoMatter($0) }.map { $0.replacing("rbd.", with: "") }
        guard !calls.isEmpty, (place, calls) != ("trash", ["create"]) else { return nil }
        if place == "data" {
            description = calls.contains("delete") ? "data removed" : "data written"
        } else {
            description = "\(place): \(calls.joined(separator: "+"))"
        }
    }

    private static func place(_ object: String) -> String? {
        let parts = object.split(separator: ".")
        return switch parts[0] {
        case "rbd_data": "data"
        case "rbd_header": "header"
        case "rbd_object_map": parts.count > 2 ? "snapshot's map" : "map"
        case "rbd_mirror_snapshot": "image state"
        case "rbd_id": "name"
        case "rbd_directory": "directory"
        case "rbd_mirroring": "record"
        case "rbd_trash": "trash"
        case "rbd_children": "children"
        default: nil
        }
    }

    private static func isOfNoMatter(_ operation: String) -> Bool {
        ["lock.assert_locked", "set-alloc-hint", "watch", "notify", "setxattr"].contains(operation)
            || operation.hasPrefix("rbd.mirror_image_status") || operation.hasPrefix("rbd.mirror_peer")
    }

    static func < (one: SyncStep, other: SyncStep) -> Bool { one.description < other.description }
}

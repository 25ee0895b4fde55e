/// Names of the objects that make up images and their mirroring.
public enum ObjectNames {
    /// Names and ids of all images.
    public static let directory = "rbd_directory"
    public static let trash = "rbd_trash"
    /// Clones of format 1 by parent.
    public static let children = "rbd_children"
    public static let namespaces = "rbd_namespace"
    /// See ``MirrorDirectory``.
    public static let mirroring = "rbd_mirroring"
    /// Where mirror daemons meet: lock, heartbeats, image map.
    public static let mirrorLeader = "rbd_mirror_leader"
    public static let info = "rbd_info"
    public static let groupDirectory = "rbd_group_directory"
    public static let mirrorSnapshotSchedule = "rbd_mirror_snapshot_schedule"

    /// Holds the id of the image of that name.
    public static func imageID(name: String) -> String { "rbd_id.\(name)" }
    public static func header(_ id: String) -> String { "rbd_header.\(id)" }
    /// A mirror daemon's mailbox; the id is that of its client.
    public static func mirrorInstance(_ id: String) -> String { "rbd_mirror_instance.\(id)" }

    /// HEAD's object map, or a snapshot's.
    public static func objectMap(_ id: String, snapshot: UInt64? = nil) -> String {
        "rbd_object_map.\(id)" + (snapshot.map { "." + hex16($0) } ?? "")
    }

    /// One of the objects that hold a mirror snapshot's image state; the snapshot id is decimal here.
    public static func mirrorSnapshotState(_ id: String, snapshot: UInt64, index: UInt64) -> String {
        "rbd_mirror_snapshot.\(id).\(snapshot).\(index)"
    }

    /// - Parameter metadataPool: The image's own pool where its data lies in another one.
    public static func dataPrefix(imageID id: String, metadataPool: Int64? = nil) -> String {
        "rbd_data." + (metadataPool.map { "\($0)." } ?? "") + id
    }

    public static func data(prefix: String, _ number: UInt64) -> String { "\(prefix).\(hex16(number))" }

    /// The number of a data object by its name; nil for names of other objects.
    public static func dataNumber(of name: String, prefix: String) -> UInt64? {
        guard name.hasPrefix(prefix) else { return nil }
        let rest = name.dropFirst(prefix.count)
        let digits = rest.dropFirst()
        guard rest.first == ".", digits.utf8.count == 16, digits.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) else { return nil }
        return UInt64(digits, radix: 16)
    }

    /// The header's key for a snapshot's record.
    public static func snapshotKey(_ id: UInt64) -> String { "snapshot_\(hex16(id))" }

    static func hex16(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

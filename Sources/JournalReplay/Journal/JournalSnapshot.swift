public import RBDImage

/// A snapshot, by its name: what the two sides of a mirror agree on.
public struct JournalSnapshot: Hashable, Sendable {
    public var name: String
    public var namespace: SnapshotNamespace

    public init(_ name: String, _ namespace: SnapshotNamespace = .user) { (self.name, self.namespace) = (name, namespace) }
}

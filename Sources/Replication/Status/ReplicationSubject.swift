/// What is being replicated: an image of a pool, or a directory of a file system.
public struct ReplicationSubject: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Pool of an image, or file system of a directory.
    public var container: String
    /// RADOS namespace; empty is the default one.
    public var namespace: String
    /// Image name or directory path; may change while ``id`` stays.
    public var name: String
    /// What never changes: the global image id, or the path.
    public var id: String

    public init(container: String, namespace: String = "", name: String, id: String) {
        self.container = container
        self.namespace = namespace
        self.name = name
        self.id = id
    }

    public var description: String {
        namespace.isEmpty ? "\(container)/\(name)" : "\(container)/\(namespace)/\(name)"
    }
}

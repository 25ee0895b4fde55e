public import CephCore

/// What a new replica looks like.
public struct ReplicaTemplate: Hashable, Sendable {
    public var name: String
    /// Bytes.
    public var size: UInt64
    public var layout: ImageLayout
    /// The source's features; the implicit ones are decided here.
    public var features: ImageFeatures
    /// Id of the pool for the data objects; nil for the image's own.
    public var dataPool: Int64?
    /// What it is a clone of; nil for none.
    public var parent: ReplicaParent?
    /// Whether the header says that librbd is not to write to it. In journal mode the journal says so.
    public var isMarked: Bool

    public init(
        name: String, size: UInt64, layout: ImageLayout, features: ImageFeatures, dataPool: Int64? = nil,
        parent: ReplicaParent? = nil, isMarked: Bool = true
    ) {
        self.isMarked = isMarked
        self.name = name
        self.size = size
        self.layout = layout
        self.features = features
        self.dataPool = dataPool
        self.parent = parent
    }

    /// The features the header is created with.
    var headerFeatures: ImageFeatures {
        var features = features.subtracting(.implicit)
        if features.contains(.objectMap) { features.insert(.fastDiff) }
        if layout.isFancy { features.insert(.striping) }
        if dataPool != nil { features.insert(.dataPool) }
        if isMarked { features.insert(.nonPrimary) }
        return features
    }
}

extension ReplicaImage {
    /// Makes a new image id in the way librbd does: from the client's id and chance.
    public static func newID(for cluster: Cluster) -> String {
        let text = String(cluster.globalID, radix: 16) + String(UInt32.random(in: .min ... .max), radix: 16)
        return String(text.suffix(14))
    }

    /// Creates a non-primary image; a clone in format 2, in which the parent's snapshots cannot be lost.
    ///
    /// The caller records the mirror image as *creating* first, so that a half-built image is known as such.
    /// - Throws: `EEXIST` when the name is taken (by another image).
    public static func create(_ id: String, _ template: ReplicaTemplate, in pool: Pool) async throws(CephError) {
        let entry = DirectoryMethod.addImage(name: template.name, id: id)
        if pool.namespace.isEmpty {
            try await pool.change(ObjectNames.directory, with: entry)
        } else {
            // It may be about to be removed.
            try await pool.change(ObjectNames.directory, with: DirectoryMethod.assertReady(), entry)
        }
        var identity = WriteOperation()
        identity.create(exclusive: true)
        identity.call(IDMethod.setID(id))
        try await pool.apply(identity, to: ObjectNames.imageID(name: template.name))
        if template.features.contains(.objectMap) {
            let count = template.layout.objectCount(forSize: template.size)
            try await pool.change(ObjectNames.objectMap(id), with: ObjectMapMethod.resize(count: count, fill: .nonexistent))
        }
        let prefix = ObjectNames.dataPrefix(imageID: id, metadataPool: template.dataPool == nil ? nil : pool.id)
        var header = WriteOperation()
        header.create(exclusive: true)
        header.call(HeaderMethod.create(
            size: template.size, order: template.layout.order, features: template.headerFeatures, prefix: prefix,
            dataPool: template.dataPool))
        try await pool.apply(header, to: ObjectNames.header(id))
        if template.layout.isFancy {
            try await pool.change(ObjectNames.header(id), with: HeaderMethod.setStripeUnitCount(
                unit: template.layout.stripeUnit, count: template.layout.stripeCount))
        }
        guard let parent = template.parent else { return }
        let cloneChild = OperationFeatures.cloneChild
        // Two operations: in one, the second would not see what the first one changed.
        try await pool.change(ObjectNames.header(id), with: HeaderMethod.parentAttach(parent.spec, overlap: parent.overlap))
        try await pool.change(ObjectNames.header(id), with: HeaderMethod.setOperationFeatures(cloneChild, mask: cloneChild))
        try await pool.attachChild(id, to: parent.spec)
    }
}

extension Pool {
    /// The id of an image by its name, nil when there is none.
    public func imageID(named name: String) async throws(CephError) -> String? {
        do throws(CephError) {
            return try Self.text(try await call(DirectoryMethod.getID(name: name), on: ObjectNames.directory), "dir_get_id")
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// The name of an image by its id, nil when it has none (in the trash, or gone).
    public func imageName(ofID id: String) async throws(CephError) -> String? {
        do throws(CephError) {
            return try Self.text(try await call(DirectoryMethod.getName(id: id), on: ObjectNames.directory), "dir_get_name")
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// The id that a name leads to, whatever the directory says; nil when it leads nowhere.
    func idObject(ofName name: String) async throws(CephError) -> String? {
        do throws(CephError) {
            return try Self.text(try await call(IDMethod.getID(), on: ObjectNames.imageID(name: name)), "get_id")
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    private static func text(_ bytes: [UInt8], _ operation: String) throws(CephError) -> String {
        do throws(WireError) {
            return try Decoder.decode(bytes, as: operation) { (d) throws(WireError) in try d.string() }
        } catch {
            throw .undecodable(error, operation: operation, subject: ObjectNames.directory)
        }
    }
}

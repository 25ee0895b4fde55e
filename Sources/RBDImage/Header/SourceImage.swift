public import CephCore

/// An image that is read, as its header was at one moment.
///
/// Its cluster may fall silent: a cancelled reader does not wait for it.
public struct SourceImage: Sendable {
    public let pool: Pool
    /// The pool of the data objects, which may be ``pool``.
    public let dataPool: Pool
    public let header: ImageHeader

    /// Reads an image's header.
    ///
    /// - Throws: `ENOENT` without such an image; `CancellationError` at once when cancelled.
    public static func load(_ id: String, in pool: Pool) async throws -> SourceImage {
        try await yieldingToCancellation {
            let header = try await pool.imageHeader(id)
            return SourceImage(pool: pool, dataPool: try await ReplicaImage.dataPool(of: header, in: pool), header: header)
        }
    }

    /// The header as it is now, with the same pools.
    public func reloaded() async throws -> SourceImage {
        let image = self
        return try await yieldingToCancellation {
            SourceImage(pool: image.pool, dataPool: image.dataPool, header: try await image.pool.imageHeader(image.header.id))
        }
    }

    /// A snapshot's object map, or HEAD's.
    ///
    /// - Throws: `ENOENT` when it is missing, `EBADMSG` when it is damaged.
    public func objectMap(of snapshot: UInt64?) async throws -> ObjectMap {
        let image = self
        return try await yieldingToCancellation {
            try await image.pool.objectMap(ObjectNames.objectMap(image.header.id, snapshot: snapshot))
        }
    }

    /// A mirror snapshot's image state as it is stored.
    ///
    /// - Throws: `ENOENT` when the snapshot has none, `EBADMSG` when it is damaged.
    public func stateBlob(of snapshot: UInt64) async throws -> [UInt8] {
        let image = self
        return try await yieldingToCancellation { try await image.pool.stateBlob(ofImage: image.header.id, snapshot: snapshot) }
    }
}

extension Pool {
    /// Reads a mirror snapshot's image state from its objects.
    public func stateBlob(ofImage id: String, snapshot: UInt64) async throws(CephError) -> [UInt8] {
        let limit = 64 << 20
        let name = { (index: UInt64) in ObjectNames.mirrorSnapshotState(id, snapshot: snapshot, index: index) }
        let first = try await read(name(0), length: limit)
        var state: [UInt8]
        let count: Int
        do throws(WireError) {
            let begun = try StateBlob.begin(first)
            state = Array(begun.state)
            count = begun.objectCount
        } catch {
            throw .undecodable(error, operation: "read image state", subject: "\(spec)/\(name(0))")
        }
        for index in 1..<UInt64(max(count, 1)) { state += try await read(name(index), length: limit) }
        return state
    }
}

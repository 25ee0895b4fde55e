public import CephCore
internal import RBDImage

/// The journal of an image.
///
///     let journal = try await Journal(ofImage: id, in: pool)
///     for try await entry in journal.entries() {
///         if case .write(let write) = entry.event { print(write.range) }
///     }
public struct Journal: Sendable {
    /// The image's.
    public let id: String
    /// Has the header.
    public let pool: Pool
    /// Has the entries: ``pool``, or one that the journal was given.
    public let dataPool: Pool
    public let geometry: JournalGeometry

    /// Opens the journal of an image.
    ///
    /// - Parameter id: The image's id, not its name.
    /// - Throws: `ENOENT` when the image has none; `EBADMSG` when its header cannot be decoded.
    public init(ofImage id: String, in pool: Pool) async throws(CephError) {
        let header = try JournalHeader(of: id, entries: try await pool.omap(of: JournalNames.header(id)))
        try await self.init(id, header, in: pool)
    }

    init(_ id: String, _ header: JournalHeader, in pool: Pool) async throws(CephError) {
        (self.id, self.pool, geometry) = (id, pool, header.geometry)
        dataPool = try await Self.dataPool(of: id, header, in: pool)
    }

    /// A pool of its own is used without namespaces. That is 16.2's way: what was written another way is in the image's.
    private static func dataPool(of id: String, _ header: JournalHeader, in pool: Pool) async throws(CephError) -> Pool {
        guard let other = header.geometry.dataPool, other != pool.id else { return pool }
        let data = try await pool.cluster.pool(id: other)
        guard !pool.namespace.isEmpty else { return data }
        let prefix = JournalNames.dataPrefix(id, headerPool: pool.id)
        for view in [data, try data.inNamespace(pool.namespace)] {
            for object in header.geometry.objects(ofSet: header.activeSet) {
                if try await view.exists("\(prefix)\(object)") { return view }
            }
        }
        return data
    }

    /// What the header records now.
    public func header() async throws(CephError) -> JournalHeader {
        try JournalHeader(of: id, entries: try await pool.omap(of: headerObject))
    }

    public var headerObject: String { JournalNames.header(id) }
    /// What the names of the data objects begin with.
    public var dataPrefix: String { JournalNames.dataPrefix(id, headerPool: pool.id) }
    public func dataObject(_ number: UInt64) -> String { "\(dataPrefix)\(number)" }

    /// Tells all who have the journal open that its header has changed; class calls do not do that.
    ///
    /// Those who do not answer within 5 s are not waited for.
    public func notifyHeader() async throws(CephError) { try await pool.notify(headerObject) }

    /// Runs one class method that changes the header, and tells of it.
    func change(_ call: ClassCall) async throws(CephError) {
        var operation = WriteOperation()
        operation.call(call)
        do throws(CephError) { try await pool.apply(operation, to: headerObject) } catch {
            throw CephError(code: error.code, operation: "journal.\(call.method)", subject: error.subject)
        }
        try await notifyHeader()
    }

    func ask<Reply>(_ query: ClassQuery<Reply>) async throws(CephError) -> Reply {
        let reply = try await pool.call(query.call, on: headerObject)
        do throws(WireError) { return try query.decode(reply) } catch {
            throw .undecodable(error, operation: "journal.\(query.call.method)", subject: headerObject)
        }
    }
}

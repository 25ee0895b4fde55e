internal import CCeph

extension Pool {
    /// Reads up to `length` bytes; fewer at the object's end.
    ///
    /// - Throws: `ENOENT` when the object does not exist (at the view's snapshot).
    /// - C call: `rados_aio_read`
    public func read(_ object: String, at offset: UInt64 = 0, length: Int) async throws(CephError) -> [UInt8] {
        var operation = ReadOperation()
        let bytes = operation.read(at: offset, length: length)
        try await perform(operation, on: object)
        return try bytes.value()
    }

    /// Reads into a part of the caller's buffer and returns how many bytes there were.
    ///
    /// - C call: `rados_aio_read`
    public func read(
        _ object: String, at offset: UInt64, into buffer: borrowing IOBuffer, _ range: Range<Int>
    ) async throws(CephError) -> Int {
        let target = buffer.part(range)
        return try await cluster.completion(of: "rados_aio_read", on: subject(object)) {
            rados_aio_read(
                handle.pointer, object, $0, target.pointer.assumingMemoryBound(to: CChar.self), range.count, offset)
        }.value
    }

    /// Size and time of an object.
    ///
    /// - Throws: `ENOENT` when it does not exist.
    /// - C call: `rados_read_op_stat`
    public func stat(_ object: String) async throws(CephError) -> ObjectStat {
        var operation = ReadOperation()
        let stat = operation.stat()
        try await perform(operation, on: object)
        return try stat.value()
    }

    /// Whether an object exists.
    public func exists(_ object: String) async throws(CephError) -> Bool {
        do throws(CephError) {
            _ = try await stat(object)
            return true
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }

    /// Writes bytes at an offset, creating the object when missing.
    public func write(_ bytes: some Collection<UInt8>, to object: String, at offset: UInt64 = 0) async throws(CephError) {
        var operation = WriteOperation()
        operation.write(bytes, at: offset)
        try await apply(operation, to: object)
    }

    /// Replaces an object's content, creating it when missing.
    public func writeFull(_ bytes: some Collection<UInt8>, to object: String) async throws(CephError) {
        var operation = WriteOperation()
        operation.writeFull(bytes)
        try await apply(operation, to: object)
    }

    /// Removes an object; works on a full pool.
    ///
    /// - Throws: `ENOENT` when it does not exist.
    public func remove(_ object: String) async throws(CephError) {
        var operation = WriteOperation()
        operation.remove()
        try await apply(operation, to: object, flags: .evenWhenFull)
    }

    /// Removes an object if it is there; returns whether it was.
    @discardableResult
    public func removeIfExists(_ object: String) async throws(CephError) -> Bool {
        do throws(CephError) {
            try await remove(object)
            return true
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }

    /// All omap entries of an object with a key prefix, page by page.
    public func omap(of object: String, prefix: String = "") async throws(CephError) -> [(key: String, value: [UInt8])] {
        var entries: [(key: String, value: [UInt8])] = []
        while true {
            var operation = ReadOperation()
            let page = operation.omapValues(after: entries.last?.key ?? "", prefix: prefix)
            try await perform(operation, on: object)
            let values = try page.value()
            entries += values.entries
            guard values.hasMore, !values.entries.isEmpty else { return entries }
        }
    }
}

internal import CCeph
internal import Glibc

/// The objects of a pool view's namespace, in no useful order.
///
///     for try await name in pool.objects() { … }
///
/// - C call: `rados_object_list`, a page at a time on a thread of its own.
public struct ObjectListing: AsyncSequence, Sendable {
    let pool: Pool

    public func makeAsyncIterator() -> Iterator { Iterator(pool: pool) }

    /// Asks page by page.
    public struct Iterator: AsyncIteratorProtocol {
        private let cursor: Cursor
        private var page: ArraySlice<String> = []
        private var finished = false

        init(pool: Pool) { cursor = Cursor(pool) }

        public mutating func next() async throws(CephError) -> String? {
            while page.isEmpty {
                guard !finished else { return nil }
                page = try await cursor.nextPage()[...]
                finished = page.isEmpty
            }
            return page.removeFirst()
        }
    }

    /// librados' position in the pool, freed with the iterator and the calls that use it.
    final class Cursor: Sendable {
        private let pool: Pool
        private let position: Locked<Position>
        private let end: Position

        init(_ pool: Pool) {
            self.pool = pool
            position = Locked(Position(rados_object_list_begin(pool.handle.pointer), pool))
            end = Position(rados_object_list_end(pool.handle.pointer), pool)
        }

        /// The next names; empty at the end of the pool.
        func nextPage() async throws(CephError) -> [String] {
            let pool = pool
            let end = end
            while true {
                let start = position.withLock { $0 }
                if rados_object_list_is_end(pool.handle.pointer, start.handle.pointer) != 0 { return [] }
                // librados' own deadline is that of each group of objects it asks; this is the one of a page.
                let (names, next) = try await pool.cluster.lend(
                    "rados_object_list", on: pool.spec, within: pool.cluster.deadlines.object * 2
                ) { () throws(CephError) in try Self.list(pool, from: start, to: end) }
                position.withLock { $0 = next }
                if !names.isEmpty { return names }
            }
        }

        private static func list(
            _ pool: Pool, from start: Position, to end: Position
        ) throws(CephError) -> ([String], Position) {
            let size = 512
            var items = [rados_object_list_item](repeating: rados_object_list_item(), count: size)
            // librados writes into a cursor it is given, and puts another in its place when it fails.
            let following = Position(rados_object_list_begin(pool.handle.pointer), pool)
            var next: rados_object_list_cursor? = following.handle.pointer
            let code = rados_object_list(
                pool.handle.pointer, start.handle.pointer, end.handle.pointer, size, nil, 0, &items, &next)
            if let next, next != following.handle.pointer { rados_object_list_cursor_free(pool.handle.pointer, next) }
            let count = try check(code, "rados_object_list", on: pool.spec)
            let names = items.prefix(count).map {
                String(decoding: UnsafeRawBufferPointer(start: $0.oid, count: $0.oid_length), as: UTF8.self)
            }
            rados_object_list_free(count, &items)
            return (names, following)
        }
    }

    /// A cursor of librados.
    final class Position: Sendable {
        let handle: UnsafeHandle
        private let pool: Pool

        init(_ cursor: rados_object_list_cursor, _ pool: Pool) {
            handle = UnsafeHandle(pointer: cursor)
            self.pool = pool
        }

        deinit { rados_object_list_cursor_free(pool.handle.pointer, handle.pointer) }
    }
}

extension Pool {
    /// Lists the objects of this namespace.
    public func objects() -> ObjectListing { ObjectListing(pool: self) }
}

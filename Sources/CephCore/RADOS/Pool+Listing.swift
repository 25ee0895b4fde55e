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

    /// librados' position in the pool, freed with the iterator.
    final class Cursor: Sendable {
        private let pool: Pool
        private let position: Locked<UnsafeHandle?>
        private let end: UnsafeHandle

        init(_ pool: Pool) {
            self.pool = pool
            position = Locked(rados_object_list_begin(pool.handle.pointer).map(UnsafeHandle.init))
            end = UnsafeHandle(pointer: rados_object_list_end(pool.handle.pointer))
        }

        deinit {
            let io = pool.handle.pointer
            if let current = position.withLock({ $0 }) { rados_object_list_cursor_free(io, current.pointer) }
            rados_object_list_cursor_free(io, end.pointer)
        }

        /// The next names; empty at the end of the pool.
        func nextPage() async throws(CephError) -> [String] {
            let pool = pool
            let end = end
            while let start = position.withLock({ $0 }) {
                if rados_object_list_is_end(pool.handle.pointer, start.pointer) != 0 { return [] }
                let (names, next) = try await LentThread.run("rados_object_list", on: pool.spec, within: pool.cluster.deadlines.object) {
                    () throws(CephError) in try Self.list(pool, from: start, to: end)
                }
                position.withLock { $0 = next }
                rados_object_list_cursor_free(pool.handle.pointer, start.pointer)
                if !names.isEmpty { return names }
            }
            return []
        }

        private static func list(
            _ pool: Pool, from start: UnsafeHandle, to end: UnsafeHandle
        ) throws(CephError) -> ([String], UnsafeHandle?) {
            let size = 512
            var items = [rados_object_list_item](repeating: rados_object_list_item(), count: size)
            var next: rados_object_list_cursor?
            let count = try check(
                rados_object_list(pool.handle.pointer, start.pointer, end.pointer, size, nil, 0, &items, &next),
                "rados_object_list", on: pool.spec)
            let names = items.prefix(count).map {
                String(decoding: UnsafeRawBufferPointer(start: $0.oid, count: $0.oid_length), as: UTF8.self)
            }
            rados_object_list_free(count, &items)
            return (names, next.map(UnsafeHandle.init))
        }
    }
}

extension Pool {
    /// Lists the objects of this namespace.
    public func objects() -> ObjectListing { ObjectListing(pool: self) }
}

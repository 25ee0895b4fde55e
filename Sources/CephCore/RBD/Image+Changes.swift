internal import CCeph
internal import Glibc

extension Image {
    /// A stretch of an image that changed.
    public struct Extent: Hashable, Sendable {
        public let range: Range<UInt64>
        /// False for a hole: it reads as zeroes now.
        public let exists: Bool

        public init(range: Range<UInt64>, exists: Bool) {
            self.range = range
            self.exists = exists
        }
    }

    /// Lists what changed since a user snapshot, in ascending order.
    ///
    ///     for try await extent in image.changes(since: "monday") { print(extent.range) }
    ///
    /// - Parameters:
    ///   - base: The older user snapshot; nil compares with an empty image. Mirror snapshots cannot be named here.
    ///   - range: The part of the image to look at; all of it by default.
    ///   - wholeObjects: Takes every object that changed as changed throughout; fast where there is an object map.
    ///   - includingParent: Whether what a clone has from its parent counts.
    /// - C call: `rbd_diff_iterate2`
    public func changes(
        since base: String? = nil, in range: Range<UInt64>? = nil, wholeObjects: Bool = false, includingParent: Bool = true
    ) -> Changes {
        Changes(image: self, base: base, range: range, wholeObjects: wholeObjects, includingParent: includingParent)
    }

    /// The changes of an image since a snapshot; see ``changes(since:in:wholeObjects:includingParent:)``.
    public struct Changes: AsyncSequence, Sendable {
        let image: Image
        let base: String?
        let range: Range<UInt64>?
        let wholeObjects: Bool
        let includingParent: Bool

        public func makeAsyncIterator() -> Iterator { Iterator(self) }

        /// Searches on a lent thread, at most a few thousand extents ahead.
        public struct Iterator: AsyncIteratorProtocol {
            private let search: Search
            private var page: ArraySlice<Extent> = []
            private var finished = false

            init(_ changes: Changes) { search = Search(changes) }

            /// - Throws: ``CephError``; `CancellationError` when the task was cancelled, for a part must not pass for all.
            public mutating func next() async throws -> Extent? {
                if page.isEmpty, !finished {
                    page = try await search.next()[...]
                    finished = page.isEmpty
                }
                return page.popFirst()
            }
        }

        /// One search; it ends when the iterator is gone.
        final class Search: Sendable {
            private let changes: Changes
            private let channel = ExtentChannel()
            private let hasStarted = Locked(false)

            init(_ changes: Changes) { self.changes = changes }

            deinit { channel.cancel() }

            func next() async throws -> [Extent] {
                let isFirst = hasStarted.withLock { started in
                    defer { started = true }
                    return !started
                }
                if isFirst {
                    let (changes, channel) = (changes, channel)
                    Task.detached { await changes.search(channel) }
                }
                let page = await channel.next()
                try Task.checkCancellation()
                return try page.get()
            }
        }

        fileprivate func search(_ channel: ExtentChannel) async {
            let operation = "rbd_diff_iterate2"
            let handle = image.handle
            do throws(CephError) {
                // Without a deadline of its own: librados ends what asks the cluster, and the reader may take its time.
                try await LentThread.run(operation, on: image.subject, in: image.gate, within: nil) { () throws(CephError) in
                    let size = try size()
                    let range = range ?? 0..<size
                    let code = rbd_diff_iterate2(
                        handle.pointer, base, range.lowerBound, range.upperBound - range.lowerBound,
                        includingParent ? 1 : 0, wholeObjects ? 1 : 0,
                        { offset, length, exists, argument in
                            let extent = Extent(range: offset..<(offset + UInt64(length)), exists: exists != 0)
                            let channel = Unmanaged<ExtentChannel>.fromOpaque(argument!).takeUnretainedValue()
                            return channel.push(extent) ? 0 : -ECANCELED
                        }, Unmanaged.passUnretained(channel).toOpaque())
                    try check(code, operation, on: image.subject)
                }
                channel.finish(nil)
            } catch {
                channel.finish(error)
            }
        }

        private func size() throws(CephError) -> UInt64 {
            var size: UInt64 = 0
            try check(rbd_get_size(image.handle.pointer, &size), "rbd_get_size", on: image.subject)
            return size
        }
    }
}

internal import CCeph
internal import Glibc

/// A client that watches an object.
public struct Watcher: Hashable, Sendable {
    /// As the blocklist takes it: `127.0.0.1:0/12345`.
    public let address: String
    /// The client's global id.
    public let client: UInt64
    /// The watch's handle.
    public let cookie: UInt64
}

extension Pool {
    /// The revisions of an object that snapshots keep.
    ///
    /// - Throws: `EOPNOTSUPP` where librados.hpp was not found at build time; `ENOENT` for an object without
    ///   head and clones.
    /// - C++ call: `librados::ObjectReadOperation::list_snaps`
    public func snapshotSet(of object: String) async throws(CephError) -> ObjectSnapshotSet {
        let reply = try await awaitNative("list_snaps", on: object) { io, callback, argument in
            cceph_list_snaps(io, object, callback, argument)
        }
        let set = reply!.pointer.assumingMemoryBound(to: cceph_snap_set.self)
        defer { cceph_snap_set_free(set) }
        let clones = UnsafeBufferPointer(start: set.pointee.clones, count: set.pointee.clone_count).map { clone in
            ObjectClone(
                id: clone.cloneid, snapshots: Array(UnsafeBufferPointer(start: clone.snaps, count: clone.snap_count)),
                size: clone.size,
                overlap: UnsafeBufferPointer(start: clone.overlap, count: clone.overlap_count)
                    .map { $0.offset..<($0.offset + $0.length) })
        }
        return ObjectSnapshotSet(sequence: set.pointee.seq, clones: clones)
    }

    /// The clients that watch an object.
    ///
    /// - Throws: `EOPNOTSUPP` where librados.hpp was not found at build time; `ENOENT` for a missing object.
    /// - C++ call: `librados::ObjectReadOperation::list_watchers`
    public func watchers(of object: String) async throws(CephError) -> [Watcher] {
        let reply = try await awaitNative("list_watchers", on: object) { io, callback, argument in
            cceph_list_watchers(io, object, callback, argument)
        }
        let list = reply!.pointer.assumingMemoryBound(to: cceph_watcher_list.self)
        defer { cceph_watcher_list_free(list) }
        return UnsafeBufferPointer(start: list.pointee.watchers, count: list.pointee.count).map { watcher in
            var address = watcher.address
            let text = withUnsafeBytes(of: &address) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            return Watcher(address: text, client: UInt64(bitPattern: watcher.client_id), cookie: watcher.cookie)
        }
    }

    /// Awaits one operation of the C++ side; the reply belongs to the caller.
    func awaitNative(
        _ operation: String, on object: String,
        _ start: (cceph_io, cceph_callback, UnsafeMutableRawPointer) -> CInt
    ) async throws(CephError) -> UnsafeHandle? {
        guard let native else { throw CephError(code: EOPNOTSUPP, operation: operation, subject: subject(object)) }
        try cluster.gate.enter(operation, on: subject(object))
        defer { cluster.gate.leave() }
        let answer = await withUnsafeContinuation { (waiter: UnsafeContinuation<NativeAnswer, Never>) in
            let refused = start(native.pointer, { argument, code, reply in
                unsafeBitCast(argument, to: UnsafeContinuation<NativeAnswer, Never>.self)
                    .resume(returning: NativeAnswer(code: code, reply: reply.map(UnsafeHandle.init)))
            }, unsafeBitCast(waiter, to: UnsafeMutableRawPointer.self))
            if refused < 0 { waiter.resume(returning: NativeAnswer(code: refused, reply: nil)) }
        }
        try check(answer.code, operation, on: subject(object))
        return answer.reply
    }
}

private struct NativeAnswer: Sendable {
    let code: CInt
    let reply: UnsafeHandle?
}

internal import CCeph
internal import Glibc

extension Image {
    /// How an image is mirrored.
    public struct MirrorMode: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let journal = MirrorMode(rawValue: 0)
        public static let snapshot = MirrorMode(rawValue: 1)
    }

    /// Whether an image is mirrored and on which side it is.
    public struct MirrorInfo: Hashable, Sendable {
        /// The same on all sites; empty when it is not mirrored.
        public let globalID: String
        public let state: State
        public let isPrimary: Bool

        public struct State: RawRepresentable, Hashable, Sendable {
            public let rawValue: UInt32
            public init(rawValue: UInt32) { self.rawValue = rawValue }
            public static let disabling = State(rawValue: 0)
            public static let enabled = State(rawValue: 1)
            public static let disabled = State(rawValue: 2)
        }

        init(_ info: rbd_mirror_image_info_t) {
            globalID = CText.string(info.global_id)
            state = State(rawValue: info.state.rawValue)
            isPrimary = info.primary
        }
    }

    /// Starts mirroring the image, with this side as the primary.
    ///
    /// - C call: `rbd_mirror_image_enable2`
    public func enableMirroring(_ mode: MirrorMode = .snapshot) async throws(CephError) {
        try await perform("rbd_mirror_image_enable2") { rbd_mirror_image_enable2($0, rbd_mirror_image_mode_t(mode.rawValue)) }
    }

    /// Ends mirroring of the image; its mirror snapshots are removed.
    ///
    /// - Parameter force: Needed on a replica, which becomes an ordinary image.
    /// - Throws: `EINVAL` on a replica without `force`.
    /// - C call: `rbd_mirror_image_disable`
    public func disableMirroring(force: Bool = false) async throws(CephError) {
        try await perform("rbd_mirror_image_disable") { rbd_mirror_image_disable($0, force) }
    }

    /// Makes a mirror snapshot on the primary and returns its id.
    ///
    /// - Throws: `EINVAL` when the image is not a primary in snapshot mode.
    /// - C call: `rbd_aio_mirror_image_create_snapshot`
    public func createMirrorSnapshot(_ options: SnapshotOptions = []) async throws(CephError) -> UInt64 {
        let handle = handle
        let id = OutPointer<UInt64>(0)
        try await completion(of: "rbd_aio_mirror_image_create_snapshot", using: id) {
            rbd_aio_mirror_image_create_snapshot(handle.pointer, options.rawValue, id.pointer, $0)
        }
        return id.pointer.pointee
    }

    /// Makes this side the primary.
    ///
    /// - Parameter force: Also when the other side has not been demoted; what it had and this side has not is lost.
    /// - Throws: `EBUSY` when the other side is still primary and `force` is not given; after `ETIMEDOUT` ask ``mirrorInfo()``.
    /// - C call: `rbd_aio_mirror_image_promote`
    public func promote(force: Bool = false) async throws(CephError) {
        let handle = handle
        try await completion(of: "rbd_aio_mirror_image_promote", using: self) {
            rbd_aio_mirror_image_promote(handle.pointer, force, $0)
        }
    }

    /// Makes this side a replica.
    ///
    /// - C call: `rbd_aio_mirror_image_demote`
    public func demote() async throws(CephError) {
        let handle = handle
        try await completion(of: "rbd_aio_mirror_image_demote", using: self) { rbd_aio_mirror_image_demote(handle.pointer, $0) }
    }

    /// Asks the mirror daemon to copy the image anew from the primary.
    ///
    /// - C call: `rbd_mirror_image_resync`
    public func requestResync() async throws(CephError) {
        try await perform("rbd_mirror_image_resync") { rbd_mirror_image_resync($0) }
    }

    /// Whether the image is mirrored, under which global id, and whether it is the primary.
    ///
    /// - C call: `rbd_aio_mirror_image_get_info`
    public func mirrorInfo() async throws(CephError) -> MirrorInfo {
        let handle = handle
        let info = OutPointer(rbd_mirror_image_info_t())
        try await completion(
            of: "rbd_aio_mirror_image_get_info", using: info,
            tooLate: { code in if code >= 0 { rbd_mirror_image_get_info_cleanup(info.pointer) } }
        ) { rbd_aio_mirror_image_get_info(handle.pointer, info.pointer, MemoryLayout<rbd_mirror_image_info_t>.size, $0) }
        defer { rbd_mirror_image_get_info_cleanup(info.pointer) }
        return MirrorInfo(info.pointer.pointee)
    }

    /// How the image is mirrored; nil when it is not.
    ///
    /// - C calls: `rbd_aio_mirror_image_get_info`, `rbd_aio_mirror_image_get_mode`
    public func mirrorMode() async throws(CephError) -> MirrorMode? {
        let handle = handle
        // librbd leaves the value alone, or calls it journal, when there is no mirroring.
        guard try await mirrorInfo().state != .disabled else { return nil }
        let mode = OutPointer(RBD_MIRROR_IMAGE_MODE_JOURNAL)
        try await completion(of: "rbd_aio_mirror_image_get_mode", using: mode) {
            rbd_aio_mirror_image_get_mode(handle.pointer, mode.pointer, $0)
        }
        return MirrorMode(rawValue: mode.pointer.pointee.rawValue)
    }

    /// What the sites say about the image.
    ///
    /// - C call: `rbd_aio_mirror_image_get_global_status`
    public func mirrorStatus() async throws(CephError) -> MirrorStatus {
        let handle = handle
        let status = OutPointer(rbd_mirror_image_global_status_t())
        try await completion(
            of: "rbd_aio_mirror_image_get_global_status", using: status,
            tooLate: { code in if code >= 0 { rbd_mirror_image_global_status_cleanup(status.pointer) } }
        ) {
            rbd_aio_mirror_image_get_global_status(
                handle.pointer, status.pointer, MemoryLayout<rbd_mirror_image_global_status_t>.size, $0)
        }
        defer { rbd_mirror_image_global_status_cleanup(status.pointer) }
        return MirrorStatus(status.pointer.pointee)
    }

    /// The mirror daemon that works on the image.
    ///
    /// - Throws: `ESTALE` when that daemon is gone, `ENOENT` when there was none.
    /// - C call: `rbd_mirror_image_get_instance_id`
    public func mirrorInstanceID() async throws(CephError) -> String {
        let subject = subject
        return try await lend("rbd_mirror_image_get_instance_id") { (image) throws(CephError) in
            try CText.sized(from: 64, "rbd_mirror_image_get_instance_id", on: subject) {
                rbd_mirror_image_get_instance_id(image, $0, $1)
            }
        }
    }
}

internal import CCeph
internal import Glibc

extension Image {
    /// What an image is, as librbd sees it at the moment.
    public struct Info: Hashable, Sendable {
        public let id: String
        public let name: String
        /// Bytes, at the point the image was opened at.
        public let size: UInt64
        /// Bytes of one object: 2 to the power of ``order``.
        public let objectSize: UInt64
        /// Objects the size has room for, there or not.
        public let objectCount: UInt64
        /// 12 to 25.
        public let order: Int
        /// What the names of its data objects begin with.
        public let dataPrefix: String
        public let features: Features
        /// The operations in progress or in use on it, as in `clone-parent`; raw bits.
        public let operationFeatures: UInt64
        public let flags: Flags
        /// Bytes; the object size without striping.
        public let stripeUnit: UInt64
        /// Objects striped over; 1 without striping.
        public let stripeCount: UInt64
        /// The pool that holds its data objects.
        public let dataPool: Int64
        /// Since 1970.
        public let created: Duration
        /// Since 1970; updated at most as often as `rbd_atime_update_interval` allows.
        public let accessed: Duration
        /// Since 1970; updated at most as often as `rbd_mtime_update_interval` allows.
        public let modified: Duration
    }

    /// Feature bits of an image.
    public struct Features: OptionSet, Hashable, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let layering = Features(rawValue: 1)
        public static let striping = Features(rawValue: 2)
        public static let exclusiveLock = Features(rawValue: 4)
        public static let objectMap = Features(rawValue: 8)
        /// The object map also tells what was written since the last snapshot.
        public static let fastDiff = Features(rawValue: 16)
        /// Flattening covers snapshots too.
        public static let deepFlatten = Features(rawValue: 32)
        public static let journaling = Features(rawValue: 64)
        /// The data objects are in another pool.
        public static let dataPool = Features(rawValue: 128)
        /// Has operations that older clients do not know; see ``Info/operationFeatures``.
        public static let operations = Features(rawValue: 256)
        public static let migrating = Features(rawValue: 512)
        /// A replica that is not primary: librbd refuses to change it.
        public static let nonPrimary = Features(rawValue: 1024)
    }

    /// What cannot be relied on.
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let objectMapInvalid = Flags(rawValue: 1)
        public static let fastDiffInvalid = Flags(rawValue: 2)
    }

    /// The size in bytes, at the point the image was opened at.
    ///
    /// - C call: `rbd_get_size`
    public func size() async throws(CephError) -> UInt64 {
        let subject = subject
        return try await lend("rbd_get_size") { (image) throws(CephError) in
            var size: UInt64 = 0
            try check(rbd_get_size(image, &size), "rbd_get_size", on: subject)
            return size
        }
    }

    /// Everything about the image that costs no further question.
    ///
    /// - C calls: `rbd_stat`, `rbd_get_*`
    public func info() async throws(CephError) -> Info {
        let reader = InfoReader(subject: subject)
        return try await lend("rbd_stat") { (image) throws(CephError) in try reader.read(image) }
    }
}

/// Collects an image's facts, one call each.
private struct InfoReader: Sendable {
    let subject: String

    func read(_ image: rbd_image_t) throws(CephError) -> Image.Info {
        var stat = rbd_image_info_t()
        try check(rbd_stat(image, &stat, MemoryLayout<rbd_image_info_t>.size), "rbd_stat", on: subject)
        return Image.Info(
            id: try grown(from: 64, "rbd_get_id", on: subject) { rbd_get_id(image, $0, $1) },
            name: try CText.sized(from: 128, "rbd_get_name", on: subject) { rbd_get_name(image, $0, $1) },
            size: stat.size, objectSize: stat.obj_size, objectCount: stat.num_objs, order: Int(stat.order),
            dataPrefix: try grown(from: 64, "rbd_get_block_name_prefix", on: subject) { rbd_get_block_name_prefix(image, $0, $1) },
            features: Image.Features(rawValue: try number(image, "rbd_get_features", rbd_get_features)),
            operationFeatures: try number(image, "rbd_get_op_features", rbd_get_op_features),
            flags: Image.Flags(rawValue: try number(image, "rbd_get_flags", rbd_get_flags)),
            stripeUnit: try number(image, "rbd_get_stripe_unit", rbd_get_stripe_unit),
            stripeCount: try number(image, "rbd_get_stripe_count", rbd_get_stripe_count),
            dataPool: rbd_get_data_pool_id(image),
            created: try time(image, "rbd_get_create_timestamp", rbd_get_create_timestamp),
            accessed: try time(image, "rbd_get_access_timestamp", rbd_get_access_timestamp),
            modified: try time(image, "rbd_get_modify_timestamp", rbd_get_modify_timestamp))
    }

    private func number(
        _ image: rbd_image_t, _ operation: String, _ call: (rbd_image_t?, UnsafeMutablePointer<UInt64>?) -> CInt
    ) throws(CephError) -> UInt64 {
        var value: UInt64 = 0
        try check(call(image, &value), operation, on: subject)
        return value
    }

    private func time(
        _ image: rbd_image_t, _ operation: String, _ call: (rbd_image_t?, UnsafeMutablePointer<timespec>?) -> CInt
    ) throws(CephError) -> Duration {
        var value = timespec()
        try check(call(image, &value), operation, on: subject)
        return Duration(value)
    }
}

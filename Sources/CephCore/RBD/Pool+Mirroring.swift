internal import CCeph

extension Pool {
    /// Which images of a pool are mirrored.
    public struct MirrorMode: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let disabled = MirrorMode(rawValue: 0)
        /// Those that are enabled one by one.
        public static let image = MirrorMode(rawValue: 1)
        /// All that have a journal.
        public static let pool = MirrorMode(rawValue: 2)
    }

    /// Whether images of this namespace are mirrored.
    ///
    /// - C call: `rbd_mirror_mode_get`
    public func mirrorMode() async throws(CephError) -> MirrorMode {
        try await lendImages("rbd_mirror_mode_get") { (io, place) throws(CephError) in
            var mode = RBD_MIRROR_MODE_DISABLED
            try check(rbd_mirror_mode_get(io, &mode), "rbd_mirror_mode_get", on: place)
            return MirrorMode(rawValue: mode.rawValue)
        }
    }

    /// Switches mirroring of images on or off; the first time the pool gets its mirror uuid.
    ///
    /// - C call: `rbd_mirror_mode_set`
    public func setMirrorMode(_ mode: MirrorMode) async throws(CephError) {
        try await performImages("rbd_mirror_mode_set") { rbd_mirror_mode_set($0, rbd_mirror_mode_t(mode.rawValue)) }
    }

    /// How the pool is known to the pools it mirrors with.
    ///
    /// - Throws: `ENOENT` while mirroring was never switched on.
    /// - C call: `rbd_mirror_uuid_get`
    public func mirrorUUID() async throws(CephError) -> String {
        try await lendImages("rbd_mirror_uuid_get") { (io, place) throws(CephError) in
            try CText.sized(from: 64, "rbd_mirror_uuid_get", on: place) { rbd_mirror_uuid_get(io, $0, $1) }
        }
    }

    /// How many mirrored images are in which state, from the view of this site's daemon and its peers, the worst counting.
    ///
    /// - C call: `rbd_mirror_image_status_summary`
    public func mirrorStatusSummary() async throws(CephError) -> [Image.MirrorStatus.State: Int] {
        try await lendImages("rbd_mirror_image_status_summary") { (io, place) throws(CephError) in
            var counts = [CInt](repeating: 0, count: 32)
            let (states, count) = try CText.list(
                of: MIRROR_IMAGE_STATUS_STATE_UNKNOWN, from: 32, "rbd_mirror_image_status_summary", on: place
            ) { states, count in
                counts = [CInt](repeating: 0, count: count.pointee)
                return rbd_mirror_image_status_summary(io, states, &counts, count)
            }
            let pairs = zip(states.prefix(count), counts).map { (Image.MirrorStatus.State(rawValue: $0.rawValue), Int($1)) }
            return Dictionary(pairs, uniquingKeysWith: +)
        }
    }

    /// What the sites say about every mirrored image, by image id; page by page.
    ///
    /// - C call: `rbd_mirror_image_global_status_list`
    public func mirrorStatuses() async throws(CephError) -> [String: Image.MirrorStatus] {
        try await pages("rbd_mirror_image_global_status_list") { io, start, ids, size, length in
            var statuses = [rbd_mirror_image_global_status_t](repeating: .init(), count: size)
            let code = rbd_mirror_image_global_status_list(io, start, size, ids, &statuses, &length)
            guard code >= 0 else { return (code, []) }
            defer { rbd_mirror_image_global_status_list_cleanup(ids, &statuses, length) }
            return (code, (0..<length).map { (CText.string(ids[$0]), Image.MirrorStatus(statuses[$0])) })
        }
    }

    /// Whether and how every mirrored image is mirrored, by image id; page by page.
    ///
    /// - Parameter mode: Only images mirrored so.
    /// - C call: `rbd_mirror_image_info_list`
    public func mirrorInfos(
        _ mode: Image.MirrorMode? = nil
    ) async throws(CephError) -> [String: (mode: Image.MirrorMode, info: Image.MirrorInfo)] {
        try await pages("rbd_mirror_image_info_list") { io, start, ids, size, length in
            var modes = [rbd_mirror_image_mode_t](repeating: RBD_MIRROR_IMAGE_MODE_JOURNAL, count: size)
            var infos = [rbd_mirror_image_info_t](repeating: .init(), count: size)
            var wanted = rbd_mirror_image_mode_t(mode?.rawValue ?? 0)
            let code = withUnsafeMutablePointer(to: &wanted) {
                rbd_mirror_image_info_list(io, mode == nil ? nil : $0, start, size, ids, &modes, &infos, &length)
            }
            guard code >= 0 else { return (code, []) }
            defer { rbd_mirror_image_info_list_cleanup(ids, &infos, length) }
            return (code, (0..<length).map {
                (CText.string(ids[$0]), (Image.MirrorMode(rawValue: modes[$0].rawValue), Image.MirrorInfo(infos[$0])))
            })
        }
    }

    /// Which daemon works on which image, by image id; page by page.
    ///
    /// - C call: `rbd_mirror_image_instance_id_list`
    public func mirrorInstanceIDs() async throws(CephError) -> [String: String] {
        try await pages("rbd_mirror_image_instance_id_list") { io, start, ids, size, length in
            var instances = [UnsafeMutablePointer<CChar>?](repeating: nil, count: size)
            let code = rbd_mirror_image_instance_id_list(io, start, size, ids, &instances, &length)
            guard code >= 0 else { return (code, []) }
            defer { rbd_mirror_image_instance_id_list_cleanup(ids, &instances, length) }
            return (code, (0..<length).map { (CText.string(ids[$0]), CText.string(instances[$0])) })
        }
    }

    private typealias IDs = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// Asks for page after page of a list by image id, each from the last id of the one before.
    private func pages<Value: Sendable>(
        _ operation: String,
        _ page: @escaping @Sendable (UnsafeMutableRawPointer, String, IDs, Int, inout Int) -> (CInt, [(String, Value)])
    ) async throws(CephError) -> [String: Value] {
        let size = 256
        return try await lendImages(operation) { (io, place) throws(CephError) in
            var all: [String: Value] = [:]
            var last = ""
            while true {
                var ids = [UnsafeMutablePointer<CChar>?](repeating: nil, count: size)
                var length = size
                let (code, entries) = page(io, last, &ids, size, &length)
                try check(code, operation, on: place)
                for (id, value) in entries { all[id] = value }
                guard entries.count == size, let next = entries.last?.0 else { return all }
                last = next
            }
        }
    }
}

internal import CCeph
internal import Glibc

extension Image {
    /// The value of a metadata key.
    ///
    /// - Throws: `ENOENT` for a key that is not set.
    /// - C call: `rbd_metadata_get`
    public func metadata(_ key: String) async throws(CephError) -> String {
        let place = "\(subject) \(key)"
        return try await lend("rbd_metadata_get") { (image) throws(CephError) in
            try CText.sized(from: 256, "rbd_metadata_get", on: place) { rbd_metadata_get(image, key, $0, $1) }
        }
    }

    /// All metadata, page by page.
    ///
    /// - C call: `rbd_metadata_list`
    public func metadata() async throws(CephError) -> [String: String] {
        let subject = subject
        return try await lend("rbd_metadata_list") { (image) throws(CephError) in
            var all: [String: String] = [:]
            var last = ""
            while true {
                let page = try Self.page(image, after: last, on: subject)
                for (key, value) in page { all[key] = value }
                guard let key = page.last?.key else { return all }
                last = key
            }
        }
    }

    private static let pageSize: UInt64 = 64

    private static func page(
        _ image: UnsafeMutableRawPointer, after last: String, on subject: String
    ) throws(CephError) -> [(key: String, value: String)] {
        var room = (keys: 4096, values: 16384)
        while true {
            var keys = [CChar](repeating: 0, count: room.keys)
            var values = [CChar](repeating: 0, count: room.values)
            var used = room
            let code = rbd_metadata_list(image, last, pageSize, &keys, &used.keys, &values, &used.values)
            guard code == -ERANGE else {
                try check(code, "rbd_metadata_list", on: subject)
                return Array(zip(CText.split(keys.prefix(used.keys)), CText.split(values.prefix(used.values))))
            }
            room = (max(used.keys, room.keys), max(used.values, room.values))
        }
    }

    /// Sets a metadata key.
    ///
    /// - C call: `rbd_metadata_set`
    public func setMetadata(_ key: String, to value: String) async throws(CephError) {
        try await perform("rbd_metadata_set", on: key) { rbd_metadata_set($0, key, value) }
    }

    /// Removes a metadata key.
    ///
    /// - Throws: `ENOENT` for a key that is not set.
    /// - C call: `rbd_metadata_remove`
    public func removeMetadata(_ key: String) async throws(CephError) {
        try await perform("rbd_metadata_remove", on: key) { rbd_metadata_remove($0, key) }
    }
}

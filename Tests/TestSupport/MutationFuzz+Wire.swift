public import CephCore

extension MutationFuzz.Subject {
    /// A structure that is decoded and encoded; what is accepted must survive another round.
    public static func codec<T: WireDecodable & WireEncodable & Equatable & Sendable>(
        _ type: T.Type, _ samples: [UInt8]...
    ) -> Self {
        Self("\(type)", samples) { bytes, encodesAgain in
            let value = try T(encoded: bytes)
            return try !encodesAgain || T(encoded: value.encoded) == value
        }
    }

    /// A structure that is only decoded.
    public static func decoder<T: WireDecodable & Sendable>(_ type: T.Type, _ samples: [UInt8]...) -> Self {
        Self("\(type)", samples) { bytes, _ in
            _ = try T(encoded: bytes)
            return true
        }
    }

    /// The reply of a class method.
    public static func reply<Reply>(_ query: ClassQuery<Reply>, _ samples: [UInt8]...) -> Self {
        Self(query.call.method, samples) { bytes, _ in
            _ = try query.decode(bytes)
            return true
        }
    }
}

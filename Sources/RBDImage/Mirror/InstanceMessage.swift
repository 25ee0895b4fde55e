public import CephCore

/// A notification in the mailbox of a mirror daemon, `rbd_mirror_instance.…`.
public struct InstanceMessage: Hashable, Sendable, WireEncodable, WireDecodable {
    /// What is asked for.
    public enum Content: Hashable, Sendable {
        /// Serve an image; acknowledged once its replayer is known.
        case acquireImage(globalID: String)
        /// Stop serving an image; acknowledged once it is stopped.
        case releaseImage(globalID: String)
        case peerImageRemoved(globalID: String, mirrorUUID: String)
        /// To the leader: the acknowledgement is the permission to begin a sync.
        case requestSync(id: String)
        /// From the leader: acknowledged when the sync has ended, which frees its place.
        case startSync(id: String)
        /// Of a newer release, carried through.
        case unknown(operation: UInt32, body: [UInt8])
    }

    /// Chosen by the sender; repeated when the message is sent again.
    public var requestID: UInt64
    public var content: Content

    public init(requestID: UInt64, _ content: Content) {
        self.requestID = requestID
        self.content = content
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 2, compat: 2) { encoder in
            func put(_ operation: UInt32, _ words: String...) {
                encoder.u32(operation)
                encoder.u64(requestID)
                for word in words { encoder.string(word) }
            }
            switch content {
            case .acquireImage(let globalID): put(0, globalID)
            case .releaseImage(let globalID): put(1, globalID)
            case .peerImageRemoved(let globalID, let mirrorUUID): put(2, globalID, mirrorUUID)
            case .requestSync(let id): put(3, id)
            case .startSync(let id): put(4, id)
            case .unknown(let operation, let body):
                put(operation)
                encoder.raw(body)
            }
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 2) { (d, _) throws(WireError) in
            let operation = try d.u32()
            let requestID = try d.u64()
            let content: Content = switch operation {
            case 0: .acquireImage(globalID: try d.string())
            case 1: .releaseImage(globalID: try d.string())
            case 2: .peerImageRemoved(globalID: try d.string(), mirrorUUID: try d.string())
            case 3: .requestSync(id: try d.string())
            case 4: .startSync(id: try d.string())
            default: .unknown(operation: operation, body: Array(try d.raw(d.remaining)))
            }
            return Self(requestID: requestID, content)
        }
    }
}

/// The answer to an ``InstanceMessage``; others than the sender's and the request's own are ignored.
public struct InstanceReply: Hashable, Sendable, WireEncodable, WireDecodable {
    /// The instance that asked.
    public var instanceID: String
    public var requestID: UInt64
    /// 0 or a negative errno; `-ESTALE` when the receiver is not the leader any more.
    public var result: Int32

    public init(instanceID: String, requestID: UInt64, result: Int32) {
        self.instanceID = instanceID
        self.requestID = requestID
        self.result = result
    }

    public func encode(into encoder: inout Encoder) {
        encoder.string(instanceID)
        encoder.u64(requestID)
        encoder.i32(result)
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self.init(instanceID: try decoder.string(), requestID: try decoder.u64(), result: try decoder.i32())
    }
}

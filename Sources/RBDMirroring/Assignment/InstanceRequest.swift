public import CephCore

/// A message to one daemon, by notification on its mailbox.
public struct InstanceRequest: Hashable, Sendable, WireEncodable, WireDecodable {
    /// What is asked; strings are global image ids, mirror uuids and sync ids (local image ids).
    public enum Body: Hashable, Sendable {
        /// Serve this image; answered once its replayer is registered.
        case acquireImage(String)
        /// Stop serving this image; answered when its replayer has stopped.
        case releaseImage(String)
        /// The peer no longer has this image.
        case peerRemovedImage(String, mirrorUUID: String)
        /// May I sync? Asked of the leader, answered when a slot is free.
        case requestSync(String)
        /// Sync now; answered when the sync has ended.
        case startSync(String)
        /// An operation of a newer release.
        case unknown(UInt32)
    }

    /// Chosen by the sender, who repeats it when no answer comes.
    public var id: UInt64
    public var body: Body

    public init(id: UInt64, body: Body) {
        self.id = id
        self.body = body
    }

    private var operation: UInt32 {
        switch body {
        case .acquireImage: 0
        case .releaseImage: 1
        case .peerRemovedImage: 2
        case .requestSync: 3
        case .startSync: 4
        case .unknown(let operation): operation
        }
    }

    public func encode(into encoder: inout Encoder) {
        encoder.frame(version: 2, compat: 2) {
            $0.u32(operation)
            $0.u64(id)
            switch body {
            case .acquireImage(let text), .releaseImage(let text), .requestSync(let text), .startSync(let text): $0.string(text)
            case .peerRemovedImage(let globalID, let mirrorUUID):
                $0.string(globalID)
                $0.string(mirrorUUID)
            case .unknown: break
            }
        }
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        self = try decoder.frame(supported: 2) { (d, _) throws(WireError) in
            let operation = try d.u32()
            let id = try d.u64()
            let body: Body = switch operation {
            case 0: .acquireImage(try d.string())
            case 1: .releaseImage(try d.string())
            case 2: .peerRemovedImage(try d.string(), mirrorUUID: try d.string())
            case 3: .requestSync(try d.string())
            case 4: .startSync(try d.string())
            default: .unknown(operation)
            }
            return Self(id: id, body: body)
        }
    }
}

/// The answer to an ``InstanceRequest``, as the payload of the acknowledgement.
public struct InstanceReply: Hashable, Sendable, WireEncodable, WireDecodable {
    /// The instance that asked, not the one that answers.
    public var requester: String
    public var requestID: UInt64
    /// 0 or a negative errno; `-ESTALE`: not the leader (any more).
    public var result: Int32

    public init(requester: String, requestID: UInt64, result: Int32) {
        self.requester = requester
        self.requestID = requestID
        self.result = result
    }

    public func encode(into encoder: inout Encoder) {
        encoder.string(requester)
        encoder.u64(requestID)
        encoder.i32(result)
    }

    public init(from decoder: inout Decoder) throws(WireError) {
        requester = try decoder.string()
        requestID = try decoder.u64()
        result = try decoder.i32()
    }
}

internal import CephCore

/// An entry as it lies in a data object.
///
///     preamble u64, version u8, entry u64, tag u64, length u32, payload, crc32c u32
public struct JournalFrame: Hashable, Sendable {
    public var tag: UInt64
    public var entry: UInt64
    /// What a ``JournalRecord`` is decoded from. A slice of what was read: holding it holds all of that.
    public var payload: ArraySlice<UInt8>

    public init(tag: UInt64, entry: UInt64, payload: ArraySlice<UInt8>) {
        (self.tag, self.entry, self.payload) = (tag, entry, payload)
    }

    /// Bytes around the payload.
    public static let overhead = headLength + 4
    static let headLength = 29
    static let preamble: UInt64 = 0x3141_5926_5358_9793
    /// The only one there is; stock readers crash on others.
    static let version: UInt8 = 1

    /// The frame's bytes.
    public var encoded: [UInt8] {
        var encoder = Encoder()
        encoder.u64(Self.preamble)
        encoder.u8(Self.version)
        encoder.u64(entry)
        encoder.u64(tag)
        encoder.blob(payload)
        encoder.u32(encoder.bytes.withUnsafeBytes { CRC32C.checksum($0, seed: 0) })
        return encoder.bytes
    }
}

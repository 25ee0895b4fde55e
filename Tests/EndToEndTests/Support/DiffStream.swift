/// A stream for `rbd import-diff`, format "rbd diff v1": how tests write to images.
struct DiffStream {
    private(set) var bytes = Array("rbd diff v1\n".utf8)

    /// Resizes the image.
    mutating func resize(_ size: Int) {
        bytes.append(UInt8(ascii: "s"))
        number(size)
    }

    mutating func write(_ data: [UInt8], at offset: Int) {
        bytes.append(UInt8(ascii: "w"))
        number(offset)
        number(data.count)
        bytes += data
    }

    mutating func discard(_ range: Range<Int>) {
        bytes.append(UInt8(ascii: "z"))
        number(range.lowerBound)
        number(range.count)
    }

    /// The stream with its end mark.
    var closed: [UInt8] { bytes + [UInt8(ascii: "e")] }

    private mutating func number(_ value: Int) {
        withUnsafeBytes(of: UInt64(value).littleEndian) { bytes.append(contentsOf: $0) }
    }
}

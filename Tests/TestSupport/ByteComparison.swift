internal import Glibc

extension [UInt8] {
    /// Whether both are the same. As `==`, which takes many times as long in a build for debugging.
    public func hasSameBytes(as other: [UInt8]) -> Bool {
        count == other.count && withUnsafeBytes { mine in
            other.withUnsafeBytes { mine.isEmpty || memcmp(mine.baseAddress!, $0.baseAddress!, mine.count) == 0 }
        }
    }

    /// Replaces a range by the same range of an array that is as long, or by zeroes.
    public mutating func overwrite(_ range: Range<Int>, from other: [UInt8]?) {
        withUnsafeMutableBytes { bytes in
            let part = UnsafeMutableRawBufferPointer(rebasing: bytes[range])
            guard let other else {
                part.initializeMemory(as: UInt8.self, repeating: 0)
                return
            }
            other.withUnsafeBytes { part.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[range])) }
        }
    }
}

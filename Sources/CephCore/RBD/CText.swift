internal import CCeph
internal import Glibc

/// Texts and lists as librbd hands them out.
enum CText {
    /// Calls a function that takes the size of a text buffer and says how much it needs.
    static func sized(
        from size: Int, _ operation: String, on subject: String,
        _ call: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int>) -> CInt
    ) throws(CephError) -> String {
        var size = size
        while true {
            var buffer = [CChar](repeating: 0, count: size + 1)
            var needed = size
            let code = call(&buffer, &needed)
            guard code == -ERANGE, needed > size || size < 1 << 20 else {
                try check(code, operation, on: subject)
                return string(buffer)
            }
            size = max(needed, size * 2)
        }
    }

    /// Calls a function that fills a list and says how many entries it needs.
    ///
    /// - Returns: The list and how many of its entries are filled.
    static func list<Element, Count: FixedWidthInteger>(
        of empty: Element, from size: Count, _ operation: String, on subject: String,
        _ call: (UnsafeMutablePointer<Element>, UnsafeMutablePointer<Count>) -> CInt
    ) throws(CephError) -> (entries: [Element], count: Int) {
        var size = size
        while true {
            var entries = [Element](repeating: empty, count: Int(size))
            var needed = size
            let code = call(&entries, &needed)
            guard code == -ERANGE else {
                try check(code, operation, on: subject)
                return (entries, min(Int(needed), entries.count))
            }
            size = max(needed, size * 2)
        }
    }

    /// The text up to the first zero.
    static func string(_ bytes: some Sequence<CChar>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// A C text, empty for null.
    static func string(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0) } ?? "" }

    /// Texts that each end with a zero.
    static func split(_ bytes: some Collection<CChar>) -> [String] {
        bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self) }
    }
}

/// Where C writes a value; lives as long as C may write.
final class OutPointer<Value>: @unchecked Sendable {
    let pointer = UnsafeMutablePointer<Value>.allocate(capacity: 1)

    init(_ value: Value) { pointer.initialize(to: value) }
    deinit {
        pointer.deinitialize(count: 1)
        pointer.deallocate()
    }
}

extension Duration {
    /// Time since 1970.
    init(_ time: timespec) { self = .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec) }
}

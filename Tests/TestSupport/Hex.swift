/// Bytes from hexadecimal digits; everything else is only for the eye.
///
///     hex("01 01 04000000 | 'text' 03000000")
///
/// Text in single quotes stands for its UTF-8 bytes, in double quotes with its u32 length in front.
public func hex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var high: UInt8?
    var rest = Substring(text)
    while let character = rest.popFirst() {
        if character == "'" || character == "\"" {
            let word = Array(rest.prefix { $0 != character }.utf8)
            rest = rest.drop { $0 != character }.dropFirst()
            if character == "\"" { bytes += (0..<4).map { UInt8(truncatingIfNeeded: word.count >> (8 * $0)) } }
            bytes += word
        } else if let digit = character.hexDigitValue {
            if let first = high {
                bytes.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
    }
    precondition(high == nil, "odd number of digits in: \(text)")
    return bytes
}

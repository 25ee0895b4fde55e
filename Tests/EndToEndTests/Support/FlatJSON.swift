import Foundation

/// A JSON document as lines of path and value, so that two can be compared and their difference read.
///
/// The figures in a status description are part of the document.
struct FlatJSON {
    private(set) var lines: [String: String] = [:]

    init(_ text: String) throws {
        add(try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed), at: "")
    }

    private mutating func add(_ value: Any, at path: String) {
        switch value {
        case let object as [String: Any]:
            if object.isEmpty { lines[path] = "{}" }
            for (key, member) in object { add(member, at: path.isEmpty ? key : "\(path).\(key)") }
        case let list as [Any]:
            if list.isEmpty { lines[path] = "[]" }
            for (index, element) in list.enumerated() { add(element, at: "\(path)[\(index)]") }
        case let text as String: add(text, at: path)
        case let number as NSNumber: lines[path] = Self.isBoolean(number) ? "\(number.boolValue)" : "\(number)"
        default: lines[path] = "null"
        }
    }

    private mutating func add(_ text: String, at path: String) {
        guard let brace = text.firstIndex(of: "{"), let inner = try? FlatJSON(String(text[brace...])) else {
            lines[path] = "\"\(text)\""
            return
        }
        lines[path] = "\"\(text[..<brace])\" and"
        for (key, value) in inner.lines { lines["\(path).\(key)"] = value }
    }

    private static func isBoolean(_ number: NSNumber) -> Bool { number.objCType.pointee == CChar(UInt8(ascii: "c")) }
}

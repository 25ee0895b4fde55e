/// How a reply is written: as one line, or as Ceph's tools indent it.
public struct JSONStyle: Sendable, Hashable {
    let isPretty: Bool

    /// One line, no spaces.
    public static let compact = JSONStyle(isPretty: false)
    /// Four spaces a level and a line feed at the end, as Ceph's `json-pretty`.
    public static let pretty = JSONStyle(isPretty: true)
}

extension JSONValue {
    /// Renders the value as JSON text.
    public func rendered(_ style: JSONStyle = .compact) -> String {
        var writer = JSONWriter(isPretty: style.isPretty)
        writer.write(self, depth: 0)
        if style.isPretty { writer.text += "\n" }
        return writer.text
    }
}

private struct JSONWriter {
    let isPretty: Bool
    var text = ""

    mutating func write(_ value: JSONValue, depth: Int) {
        switch value {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? "\(value)" : "null"
        case .string(let value): write(quoted: value)
        case .array(let values):
            list("[", "]", count: values.count, depth: depth) { writer, index in
                writer.write(values[index], depth: depth + 1)
            }
        case .object(let members):
            list("{", "}", count: members.count, depth: depth) { writer, index in
                writer.write(quoted: members[index].key)
                writer.text += writer.isPretty ? ": " : ":"
                writer.write(members[index].value, depth: depth + 1)
            }
        }
    }

    private mutating func list(
        _ open: String, _ close: String, count: Int, depth: Int, item: (inout JSONWriter, Int) -> Void
    ) {
        text += open
        for index in 0..<count {
            if index > 0 { text += "," }
            breakLine(depth + 1)
            item(&self, index)
        }
        if count > 0 { breakLine(depth) }
        text += close
    }

    private mutating func breakLine(_ depth: Int) {
        guard isPretty else { return }
        text += "\n" + String(repeating: "    ", count: depth)
    }

    private mutating func write(quoted string: String) {
        text += "\""
        defer { text += "\"" }
        let isPlain = string.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != 0x22 && $0 != 0x5c }
        if isPlain { return text += string }
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}

internal import Glibc

/// The registered commands, and the pure part of answering: parsing, matching, checking, describing.
struct CommandTable: Sendable {
    private(set) var commands: [String: AdminCommand] = [:]

    mutating func add(_ command: AdminCommand) { commands[command.prefix] = command }
    mutating func remove(_ prefix: String) { commands[prefix] = nil }

    /// What is to be run for a request, or the refusal to send back.
    enum Match: Sendable {
        case run(AdminCommand, AdminRequest, ReplyFormat)
        case refuse(AdminReply)
    }

    func match(_ bytes: [UInt8]) -> Match {
        switch bytes.first {
        case UInt8(ascii: "{"): match(json: bytes)
        case nil, UInt8(ascii: "["), UInt8(ascii: "\""): .refuse(.failure(EINVAL, "invalid json"))
        default: match(words: bytes)
        }
    }

    private func match(json bytes: [UInt8]) -> Match {
        guard case .object(let members) = JSONValue.parse(bytes) else {
            return .refuse(.failure(EINVAL, "invalid json"))
        }
        var arguments = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        guard case .string(let prefix) = arguments.removeValue(forKey: "prefix") ?? "",
            case .string(let formatName) = arguments.removeValue(forKey: "format") ?? ""
        else {
            return .refuse(.failure(EINVAL, "invalid json, missing format and/or prefix"))
        }
        guard let format = ReplyFormat(name: formatName) else {
            return .refuse(.failure(EOPNOTSUPP, "format \(formatName) is not served, only json and json-pretty"))
        }
        guard let command = commands[prefix] else { return .refuse(Self.unknown(prefix)) }
        return check(command, arguments, format)
    }

    /// A line typed by hand: the longest known prefix, then the parameters by position.
    private func match(words bytes: [UInt8]) -> Match {
        let text = String(decoding: bytes, as: UTF8.self)
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        for count in stride(from: words.count, to: 0, by: -1) {
            guard let command = commands[words[..<count].joined(separator: " ")] else { continue }
            guard let arguments = Self.place(words[count...], in: command.parameters) else { break }
            return check(command, arguments, .pretty)
        }
        return .refuse(Self.unknown(text))
    }

    private static func place(_ words: ArraySlice<String>, in parameters: [AdminParameter]) -> [String: JSONValue]? {
        var rest = words
        var arguments: [String: JSONValue] = [:]
        for parameter in parameters where !rest.isEmpty {
            if parameter.isRepeated {
                arguments[parameter.name] = .array(rest.map { .string($0) })
                rest = []
            } else {
                arguments[parameter.name] = .string(rest.removeFirst())
            }
        }
        return rest.isEmpty ? arguments : nil
    }

    private func check(_ command: AdminCommand, _ arguments: [String: JSONValue], _ format: ReplyFormat) -> Match {
        for parameter in command.parameters {
            let fits =
                switch arguments[parameter.name] {
                case nil: !parameter.isRequired
                case .string: !parameter.isRepeated
                case .array(let values): parameter.isRepeated && values.allSatisfy(\.isString)
                default: false
                }
            guard fits else { return .refuse(.failure(EINVAL, "invalid command json")) }
        }
        return .run(command, AdminRequest(prefix: command.prefix, arguments: arguments), format)
    }

    private static func unknown(_ prefix: String) -> AdminReply {
        .failure(EINVAL, "unknown command prefix \(prefix)")
    }
}

extension JSONValue {
    fileprivate var isString: Bool { if case .string = self { true } else { false } }
}

extension CommandTable {
    private var sorted: [AdminCommand] { commands.values.sorted { $0.prefix.utf8.lexicographicallyPrecedes($1.prefix.utf8) } }

    /// Prefix and help text of every command that has one.
    var help: JSONValue {
        .object(sorted.filter { !$0.help.isEmpty }.map { .init($0.prefix, .string($0.help)) })
    }

    /// The signatures by which Ceph's command line checks and places arguments before it sends them.
    var descriptions: JSONValue {
        .object(
            sorted.enumerated().map { number, command in
                let digits = String(number)
                let name = "cmd" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
                return .init(name, ["sig": .array(command.signature), "help": .string(command.help)])
            })
    }
}

extension AdminCommand {
    fileprivate var signature: [JSONValue] {
        prefix.split(separator: " ").map { .string(String($0)) } + parameters.map(\.signature)
    }
}

extension AdminParameter {
    fileprivate var signature: JSONValue {
        var members: [JSONValue.Member] = []
        if isRepeated { members.append(.init("n", "N")) }
        members.append(.init("name", .string(name)))
        if !isRequired { members.append(.init("req", "false")) }
        members.append(.init("type", "CephString"))
        return .object(members)
    }
}

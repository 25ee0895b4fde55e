/// A command of the admin socket: its words, its parameters, and what it does.
public struct AdminCommand: Sendable {
    /// The words that select it, as in `config get`; matched as a whole.
    public let prefix: String
    public let parameters: [AdminParameter]
    /// One line for `help`; a command with none is left out of it.
    public let help: String
    /// Runs the command. It is cancelled when the caller hangs up or the command's deadline passes.
    public let run: @Sendable (AdminRequest) async -> AdminReply

    public init(
        _ prefix: String, parameters: [AdminParameter] = [], help: String,
        run: @escaping @Sendable (AdminRequest) async -> AdminReply
    ) {
        self.prefix = prefix
        self.parameters = parameters
        self.help = help
        self.run = run
    }
}

/// A string parameter of a command, given by position on the command line and by name on the wire.
public struct AdminParameter: Sendable, Hashable {
    public let name: String
    public let isRequired: Bool
    /// Takes every remaining word; arrives as an array.
    public let isRepeated: Bool

    public init(_ name: String, isRequired: Bool = true, isRepeated: Bool = false) {
        self.name = name
        self.isRequired = isRequired
        self.isRepeated = isRepeated
    }
}

/// A request that has been parsed and checked against the command's parameters.
public struct AdminRequest: Sendable, Hashable {
    public let prefix: String
    public let arguments: [String: JSONValue]

    public init(prefix: String, arguments: [String: JSONValue] = [:]) {
        self.prefix = prefix
        self.arguments = arguments
    }

    /// The value of a plain parameter; empty where an optional one was not given.
    public func string(_ name: String) -> String {
        guard case .string(let value) = arguments[name] else { return "" }
        return value
    }

    /// The values of a repeated parameter.
    public func strings(_ name: String) -> [String] {
        guard case .array(let values) = arguments[name] else { return [] }
        return values.compactMap { if case .string(let value) = $0 { value } else { nil } }
    }
}

/// What a command answers. The wire has no place for a status: an error is text that begins with `ERROR:`.
public struct AdminReply: Sendable, Hashable {
    enum Body: Sendable, Hashable {
        case json(JSONValue)
        case text(String)
        case failure(Int32, String)
    }
    let body: Body

    /// Nothing to say: the reply is empty.
    public static let done = AdminReply(body: .text(""))
    /// A document, written in the format the caller asked for.
    public static func json(_ value: JSONValue) -> AdminReply { AdminReply(body: .json(value)) }
    /// Text sent as it is.
    public static func text(_ text: String) -> AdminReply { AdminReply(body: .text(text)) }
    /// An error: a positive errno and a sentence.
    public static func failure(_ errno: Int32, _ message: String) -> AdminReply {
        AdminReply(body: .failure(errno, message))
    }
}

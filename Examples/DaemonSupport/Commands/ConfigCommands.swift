public import AdminSocket
internal import Glibc

/// Why an option cannot be read or set: an errno, as librados gives it.
public struct ConfigFailure: Error, Hashable, Sendable {
    /// Positive; `ENOENT` for an option that does not exist, `EINVAL` for a value that does not fit.
    public let errno: Int32

    public init(errno: Int32) { self.errno = abs(errno) }
}

/// A daemon's running configuration, as the commands `config …` reach it.
public struct ConfigAccess: Sendable {
    var get: @Sendable (_ option: String) async throws(ConfigFailure) -> String
    var set: @Sendable (_ option: String, _ value: String) async throws(ConfigFailure) -> Void
    var list: @Sendable () async throws(ConfigFailure) -> [(option: String, value: String)]

    /// - Parameters:
    ///   - get: As `rados_conf_get`.
    ///   - set: As `rados_conf_set`; what it changes must take effect at once or fail.
    ///   - list: Every option, in the order to show.
    public init(
        get: @escaping @Sendable (_ option: String) async throws(ConfigFailure) -> String,
        set: @escaping @Sendable (_ option: String, _ value: String) async throws(ConfigFailure) -> Void,
        list: @escaping @Sendable () async throws(ConfigFailure) -> [(option: String, value: String)]
    ) {
        self.get = get
        self.set = set
        self.list = list
    }

    /// The commands `config show`, `config get` and `config set`, with the replies of Ceph's daemons.
    ///
    /// Unlike there the value of the option `key` is never shown.
    public var commands: [AdminCommand] {
        let variable = AdminParameter("var")
        return [
            AdminCommand("config show", help: "dump current config settings") { _ in
                do throws(ConfigFailure) {
                    return .json(.object(try await list().map { .init($0.option, shown($0.option, $0.value)) }))
                } catch {
                    return .failure(error.errno, "error listing options: \(meaning(error))")
                }
            },
            AdminCommand("config get", parameters: [variable], help: "config get <field>: get the config value") {
                let option = $0.string("var")
                do throws(ConfigFailure) {
                    return .json(.object([.init(option, shown(option, try await get(option)))]))
                } catch {
                    return .failure(error.errno, "error getting '\(option)': \(meaning(error))")
                }
            },
            AdminCommand(
                "config set", parameters: [variable, AdminParameter("val", isRepeated: true)],
                help: "config set <field> <val> [<val> ...]: set a config variable"
            ) {
                let (option, value) = ($0.string("var"), $0.strings("val").joined(separator: " "))
                do throws(ConfigFailure) {
                    try await set(option, value)
                    return .json(["success": ""])
                } catch {
                    return .failure(error.errno, "error setting '\(option)' to '\(value)': \(meaning(error))")
                }
            },
        ]
    }
}

private func shown(_ option: String, _ value: String) -> JSONValue {
    .string(option == "key" && !value.isEmpty ? "***" : value)
}

private func meaning(_ failure: ConfigFailure) -> String {
    "(\(failure.errno)) \(String(cString: strerror(failure.errno)))"
}

internal import Foundation
internal import SystemPackage

extension SandboxCluster {
    /// Runs `ceph` as `client.admin` and returns what it printed.
    ///
    ///     try await cluster.ceph("osd", "pool", "ls")
    @discardableResult
    public func ceph(_ arguments: String...) async throws -> String { try await run("ceph", arguments) }

    /// Runs `ceph` as `client.admin` and returns what it printed.
    @discardableResult
    public func ceph(_ arguments: [String]) async throws -> String { try await run("ceph", arguments) }

    /// Runs `rbd` as `client.admin` and returns what it printed.
    @discardableResult
    public func rbd(_ arguments: String...) async throws -> String { try await run("rbd", arguments) }

    /// Runs `rbd` as `client.admin` and returns what it printed.
    @discardableResult
    public func rbd(_ arguments: [String]) async throws -> String { try await run("rbd", arguments) }

    /// Runs `ceph` with `--format json` and decodes the answer.
    ///
    ///     struct Health: Decodable { var status: String }
    ///     let health = try await cluster.cephJSON("health", as: Health.self)
    public func cephJSON<Value: Decodable>(_ arguments: String..., as type: Value.Type = Value.self) async throws -> Value {
        try decode(try await run("ceph", arguments + ["--format", "json"]), from: "ceph \(arguments.joined(separator: " "))")
    }

    /// Runs `rbd` with `--format json` and decodes the answer.
    public func rbdJSON<Value: Decodable>(_ arguments: String..., as type: Value.Type = Value.self) async throws -> Value {
        try decode(try await run("rbd", arguments + ["--format", "json"]), from: "rbd \(arguments.joined(separator: " "))")
    }

    /// Runs a program against the cluster and returns what it printed.
    ///
    /// `CEPH_CONF` leads it to the cluster; Ceph's own tools are given `-c` too. Secrets go through `input`, for
    /// arguments can be read by anyone.
    ///
    /// - Parameters:
    ///   - tool: The name of a program of the cluster's release, or a path.
    ///   - input: What the program reads from standard input.
    ///   - timeout: The longest time; `nil` takes the one of the configuration.
    /// - Throws: `SandboxError` with the command, its exit status and standard error.
    @discardableResult
    public func run(_ tool: String, _ arguments: [String], input: String = "", timeout: Duration? = nil) async throws -> String {
        let output = try await output(tool, arguments, input: Array(input.utf8), timeout: timeout)
        guard output.exit.isSuccess else { throw SandboxError.failed([tool] + located(tool, arguments), output) }
        return output.text
    }

    /// Runs a program against the cluster as `run` does and returns its bytes and its exit status, whatever that is.
    ///
    ///     let bytes = try await cluster.output("rbd", ["export", "vms/disk", "-"]).standardOutput
    public func output(
        _ tool: String, _ arguments: [String], input: [UInt8] = [], timeout: Duration? = nil
    ) async throws -> SandboxOutput {
        let command = try configuration.binaries.command(tool, located(tool, arguments))
        return try await SandboxProcess.run(
            command.executable, command.arguments, input: input, environment: ["CEPH_CONF": configurationFile.string],
            timeout: timeout ?? configuration.commandTimeout)
    }

    /// The arguments with the way to the cluster, for the tools that know the option.
    private func located(_ tool: String, _ arguments: [String]) -> [String] {
        ["ceph", "rbd", "rados"].contains { tool.hasPrefix($0) } ? ["-c", configurationFile.string] + arguments : arguments
    }

    private func decode<Value: Decodable>(_ text: String, from command: String) throws(SandboxError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw SandboxError(.unexpectedOutput, "What `\(command)` printed is not \(Value.self): \(error)\n\(text.prefix(2000))")
        }
    }
}

extension SandboxError {
    /// The error of a command that ended with failure.
    static func failed(_ command: [String], _ output: SandboxOutput) -> SandboxError {
        SandboxError(
            .commandFailed, "`\(command.joined(separator: " "))` failed with \(output.exit).",
            command: command, exit: output.exit, standardError: LogTail.last(20, of: output.errorText))
    }
}

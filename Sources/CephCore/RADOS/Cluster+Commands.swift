internal import CCeph
internal import Foundation
internal import Glibc

/// What a monitor or manager command answered.
public struct CommandReply: Sendable {
    /// The output, JSON when the command asked for it.
    public let output: [UInt8]
    /// The status line meant for people.
    public let status: String

    /// ``output`` as UTF-8; damaged bytes are replaced.
    public var text: String { String(decoding: output, as: UTF8.self) }

    /// The output read as JSON.
    ///
    /// - Throws: `EBADMSG` when it is not what was expected.
    public func decoded<Value: Decodable>(as type: Value.Type = Value.self) throws(CephError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(output))
        } catch {
            throw CephError(code: EBADMSG, operation: "decoding a command's output as \(type)")
        }
    }
}

extension Cluster {
    /// Sends a command to the monitors.
    ///
    ///     try await cluster.monitorCommand(["prefix": "service dump", "format": "json"])
    ///
    /// - Throws: ``CephError`` with the command's status line as part of the subject.
    /// - C call: `rados_mon_command`
    @discardableResult
    public func monitorCommand(_ command: [String: String], input: [UInt8] = []) async throws(CephError) -> CommandReply {
        try await monitorCommand(json: commandJSON(command), input: input)
    }

    /// Sends a command to the monitors that has more than texts in it.
    ///
    ///     try await cluster.monitorCommand(json: #"{"prefix": "osd pool create", "pool": "vms", "pg_num": 8}"#)
    ///
    /// - C call: `rados_mon_command`
    @discardableResult
    public func monitorCommand(json: String, input: [UInt8] = []) async throws(CephError) -> CommandReply {
        try await send(json, input, "rados_mon_command") { handle, words, input, reply in
            rados_mon_command(
                handle, words, 1, input.baseAddress, input.count,
                &reply.output, &reply.outputLength, &reply.status, &reply.statusLength)
        }
    }

    /// Sends a command to the active manager.
    ///
    /// - C call: `rados_mgr_command`
    @discardableResult
    public func managerCommand(_ command: [String: String], input: [UInt8] = []) async throws(CephError) -> CommandReply {
        try await managerCommand(json: commandJSON(command), input: input)
    }

    /// Sends a command to the active manager that has more than texts in it.
    ///
    /// - C call: `rados_mgr_command`
    @discardableResult
    public func managerCommand(json: String, input: [UInt8] = []) async throws(CephError) -> CommandReply {
        try await send(json, input, "rados_mgr_command") { handle, words, input, reply in
            rados_mgr_command(
                handle, words, 1, input.baseAddress, input.count,
                &reply.output, &reply.outputLength, &reply.status, &reply.statusLength)
        }
    }

    /// Fences a client: everything it sends from now on is refused.
    ///
    /// The OSDs know with the next map: await ``waitForLatestMap()`` before relying on it.
    /// - Parameter address: As lockers and watchers show it, `127.0.0.1:0/12345`.
    /// - C call: `rados_blocklist_add`
    public func blocklist(_ address: String, for duration: Duration = .seconds(3600)) async throws(CephError) {
        let handle = handle
        let seconds = UInt32(clamping: duration.components.seconds)
        try await lend("rados_blocklist_add", on: address, within: deadlines.monitor) { () throws(CephError) in
            var text = Array(address.utf8CString)
            try check(rados_blocklist_add(handle.pointer, &text, seconds), "rados_blocklist_add", on: address)
        }
    }

    /// Waits until this client has the newest OSD map.
    ///
    /// - C call: `rados_wait_for_latest_osdmap`
    public func waitForLatestMap() async throws(CephError) {
        let handle = handle
        try await lend("rados_wait_for_latest_osdmap", on: name, within: deadlines.monitor) { () throws(CephError) in
            try check(rados_wait_for_latest_osdmap(handle.pointer), "rados_wait_for_latest_osdmap")
        }
    }

    private struct RawReply {
        var output: UnsafeMutablePointer<CChar>?
        var outputLength = 0
        var status: UnsafeMutablePointer<CChar>?
        var statusLength = 0

        func take() -> CommandReply {
            defer {
                if let output { rados_buffer_free(output) }
                if let status { rados_buffer_free(status) }
            }
            return CommandReply(
                output: Array(UnsafeRawBufferPointer(start: output, count: output == nil ? 0 : outputLength)),
                status: String(
                    decoding: UnsafeRawBufferPointer(start: status, count: status == nil ? 0 : statusLength), as: UTF8.self))
        }
    }

    private func send(
        _ command: String, _ input: [UInt8], _ operation: String,
        _ call: @escaping @Sendable (
            rados_t, UnsafeMutablePointer<UnsafePointer<CChar>?>, UnsafeBufferPointer<CChar>, inout RawReply
        ) -> CInt
    ) async throws(CephError) -> CommandReply {
        let handle = handle
        let subject = prefix(of: command)
        return try await lend(operation, on: subject, within: deadlines.monitor) { () throws(CephError) in
            var raw = RawReply()
            let code = command.withCString { word in
                var words: [UnsafePointer<CChar>?] = [word]
                return input.withUnsafeBytes { call(handle.pointer, &words, $0.bindMemory(to: CChar.self), &raw) }
            }
            let reply = raw.take()
            let explained = reply.status.isEmpty ? subject : "\(subject) (\(reply.status))"
            try check(code, operation, on: explained)
            return reply
        }
    }

    /// What errors call a command; its arguments may be secrets.
    private func prefix(of command: String) -> String {
        let fields = try? JSONSerialization.jsonObject(with: Data(command.utf8)) as? [String: Any]
        return fields?["prefix"] as? String ?? "command"
    }

    private func commandJSON(_ command: [String: String]) -> String {
        let data = try? JSONSerialization.data(withJSONObject: command, options: [.sortedKeys])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}

import Testing

@testable import AdminSocket

@Suite struct RequestFrameTests {
    private func feed(_ pieces: [[UInt8]], limit: Int = 16) -> RequestFrame.Progress {
        var frame = RequestFrame(limit: limit)
        var progress = RequestFrame.Progress.incomplete
        for piece in pieces where progress == .incomplete { progress = frame.append(piece) }
        return progress
    }

    @Test func endsAtNULOrLineFeed() {
        #expect(feed([Array("help\0".utf8)]) == .complete(Array("help".utf8)))
        #expect(feed([Array("help\nmore\0".utf8)]) == .complete(Array("help".utf8)))
        #expect(feed([Array("\n".utf8)]) == .complete([]))
    }

    @Test func everySplitGivesTheSame() {
        let bytes = Array("{\"a\":1}\0".utf8)
        for cut in 0...bytes.count {
            #expect(feed([Array(bytes[..<cut]), Array(bytes[cut...])]) == .complete(Array(bytes.dropLast())))
        }
        #expect(feed(bytes.map { [$0] }) == .complete(Array(bytes.dropLast())))
    }

    @Test func limitHoldsExactly() {
        let line = [UInt8](repeating: 0x61, count: 16)
        #expect(feed([line]) == .incomplete)
        #expect(feed([line, [0]]) == .complete(line))
        #expect(feed([line, [0x61]]) == .tooLong)
        #expect(feed([line + [0x61, 0]]) == .tooLong)
    }

    @Test func fourByteFormOfOldClients() {
        #expect(feed([[0, 0, 0]]) == .incomplete)
        #expect(feed([[0, 0, 0], [0]]) == .complete(Array("0".utf8)))
        #expect(feed([[0, 0, 0, 9]]) == .complete(Array("unknown code 9".utf8)))
    }
}

@Suite struct CommandTableTests {
    private var table: CommandTable {
        var table = CommandTable()
        let set = [AdminParameter("var"), AdminParameter("val", isRepeated: true)]
        table.add(AdminCommand("config get", parameters: [AdminParameter("var")], help: "get") { _ in .done })
        table.add(AdminCommand("config set", parameters: set, help: "set") { _ in .done })
        table.add(AdminCommand("dump", parameters: [AdminParameter("logger", isRequired: false)], help: "") { _ in .done })
        return table
    }

    private func outcome(_ request: String) -> String {
        switch table.match(Array(request.utf8)) {
        case .refuse(let reply): reply.text(.pretty)
        case .run(let command, let request, let format):
            "\(command.prefix) \(JSONValue.object(request.arguments.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }).rendered()) \(format)"
        }
    }

    @Test(arguments: [
        (#"{"prefix":"config get","var":"debug_ms"}"#, #"config get {"var":"debug_ms"} pretty"#),
        (#"{"prefix":"config get","var":"x","format":"json"}"#, #"config get {"var":"x"} compact"#),
        (#"{"prefix":"config get","var":"x","format":"bogus"}"#, #"config get {"var":"x"} pretty"#),
        (#"{"prefix":"config set","var":"x","val":["1","2"]}"#, #"config set {"val":["1","2"],"var":"x"} pretty"#),
        (#"{"prefix":"dump"}"#, "dump {} pretty"),
        ("config get debug_ms", #"config get {"var":"debug_ms"} pretty"#),
        ("config set a b c", #"config set {"val":["b","c"],"var":"a"} pretty"#),
        ("dump", "dump {} pretty"),
    ])
    func accepts(_ request: String, _ expected: String) {
        #expect(outcome(request) == expected)
    }

    // The texts are those of a 16.2.15 daemon, but for formats it has and this one has not.
    @Test(arguments: [
        ("[]", "ERROR: (22) Invalid argument\ninvalid json\n"),
        ("", "ERROR: (22) Invalid argument\ninvalid json\n"),
        ("\"abc\"", "ERROR: (22) Invalid argument\ninvalid json\n"),
        (#"{"pre"#, "ERROR: (22) Invalid argument\ninvalid json\n"),
        ("{}", "ERROR: (22) Invalid argument\nunknown command prefix \n"),
        (#"{"prefix":"nosuch"}"#, "ERROR: (22) Invalid argument\nunknown command prefix nosuch\n"),
        (#"{"prefix":"config get debug_ms"}"#, "ERROR: (22) Invalid argument\nunknown command prefix config get debug_ms\n"),
        (#"{"prefix":5}"#, "ERROR: (22) Invalid argument\ninvalid json, missing format and/or prefix\n"),
        (#"{"prefix":"dump","format":5}"#, "ERROR: (22) Invalid argument\ninvalid json, missing format and/or prefix\n"),
        (#"{"prefix":"config get"}"#, "ERROR: (22) Invalid argument\ninvalid command json\n"),
        (#"{"prefix":"config get","var":5}"#, "ERROR: (22) Invalid argument\ninvalid command json\n"),
        (#"{"prefix":"config set","var":"a","val":"b"}"#, "ERROR: (22) Invalid argument\ninvalid command json\n"),
        (#"{"prefix":"config set","var":"a","val":[1]}"#, "ERROR: (22) Invalid argument\ninvalid command json\n"),
        (#"{"prefix":"dump","format":"xml"}"#, "ERROR: (95) Operation not supported\nformat xml is not served, only json and json-pretty\n"),
        ("config get", "ERROR: (22) Invalid argument\ninvalid command json\n"),
        ("config get a b", "ERROR: (22) Invalid argument\nunknown command prefix config get a b\n"),
        ("nosuch", "ERROR: (22) Invalid argument\nunknown command prefix nosuch\n"),
    ])
    func refuses(_ request: String, _ expected: String) {
        #expect(outcome(request) == expected)
    }

    @Test func describesCommandsAsCephDoes() {
        #expect(
            table.descriptions.rendered() == #"{"cmd000":{"sig":["config","get",{"name":"var","type":"CephString"}],"help":"get"},"#
                + #""cmd001":{"sig":["config","set",{"name":"var","type":"CephString"},{"n":"N","name":"val","type":"CephString"}],"help":"set"},"#
                + #""cmd002":{"sig":["dump",{"name":"logger","req":"false","type":"CephString"}],"help":""}}"#)
        #expect(table.help.rendered() == #"{"config get":"get","config set":"set"}"#)
    }

    @Test func frames() {
        #expect(AdminReply.done.frame(.pretty) == [0, 0, 0, 0])
        #expect(AdminReply.text("2").frame(.compact) == [0, 0, 0, 1, 0x32])
        #expect(AdminReply.json(["a": 1]).frame(.compact) == [0, 0, 0, 7] + Array(#"{"a":1}"#.utf8))
    }
}

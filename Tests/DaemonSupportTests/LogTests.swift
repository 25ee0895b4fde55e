import AdminSocket
import Foundation
import Logging
import Testing

@testable import DaemonSupport

@Suite struct LogRecordTests {
    private func record(_ message: String, _ metadata: Logger.Metadata = [:], level: Logger.Level = .info) -> LogRecord {
        LogRecord(
            time: WallTime(seconds: 1_769_903_999, milliseconds: 7), level: level, label: "rbd-mirror", message: message,
            metadata: metadata)
    }

    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000Z"), (1_769_903_999, 7, "2026-01-31T23:59:59.007Z"),
        (951_782_400, 999, "2000-02-29T00:00:00.999Z"), (4_102_444_800, 10, "2100-01-01T00:00:00.010Z"),
    ])
    func times(_ seconds: Int, _ milliseconds: Int, _ text: String) {
        #expect("\(WallTime(seconds: seconds, milliseconds: milliseconds))" == text)
    }

    @Test func text() {
        let line = record("sync done", ["rbd.image": "p/img", "bytes": "\(12)", "note": "a b"], level: .warning)
        #expect(line.line(json: false)
            == "2026-01-31T23:59:59.007Z warning rbd-mirror: sync done bytes=12 note=\"a b\" rbd.image=p/img\n")
    }

    @Test func json() {
        let line = record("sync \"done\"", ["rbd.image": "p/img", "list": ["a", "b"], "map": ["x": "1"]])
        #expect(line.line(json: true)
            == #"{"time":"2026-01-31T23:59:59.007Z","level":"info","label":"rbd-mirror","message":"sync \"done\"","metadata":{"list":["a","b"],"map":{"x":"1"},"rbd.image":"p/img"}}"#
            + "\n")
        #expect(record("x").line(json: true).hasSuffix(#""message":"x"}"# + "\n"))
    }

    @Test(arguments: [
        ("", "\"\""), ("plain", "plain"), ("a b", "\"a b\""), ("a=b", "\"a=b\""), ("a\"b", #""a\"b""#),
        ("a\nb", #""a\nb""#), ("p/ns/img", "p/ns/img"), ("\u{1b}[31m", #""\u001b[31m""#), ("a\\b", #""a\\b""#),
        ("ä", "ä"), ("\u{2028}", "\"\\u{2028}\""), ("\u{85}", "\"\\u{0085}\""),
    ])
    func quoting(_ value: String, _ expected: String) {
        let line = record("m", ["k": "\(value)"]).line(json: false)
        #expect(line.hasSuffix(" rbd-mirror: m k=\(expected)\n"))
    }

    @Test func nothingForgesALine() {
        for json in [true, false] {
            let evil = "a\n2026-01-01T00:00:00.000Z error rbd-mirror: forged\r\n\u{2028}\u{85}"
            let line = record(evil, ["rbd.image\n": "\(evil)", "nested": [evil: .string(evil)]]).line(json: json)
            #expect(line.unicodeScalars.filter { $0 == "\n" }.count == 1)
            #expect(!line.contains("\r"))
        }
    }

    @Test(arguments: ["key", "secret", "token", "peer.key", "auth-token", "cephx_key", "KEY", "password"])
    func secretsAreNotWritten(_ name: String) {
        for json in [true, false] {
            let flat = record("m", [name: "AQBverysecret=="]).line(json: json)
            #expect(!flat.contains("AQB") && flat.contains("***"))
            let nested = record("m", ["outer": [name: "AQBverysecret=="]]).line(json: json)
            #expect(!nested.contains("AQB") && nested.contains("***"))
            let listed = record("m", ["outer": [[name: "AQBverysecret=="]]]).line(json: json)
            #expect(!listed.contains("AQB") && listed.contains("***"))
        }
    }

    @Test(arguments: ["monkey", "keyring", "key.count", "tokens", ""])
    func otherKeysAre(_ name: String) {
        #expect(record("m", [name: "shown"]).line(json: false).contains("shown"))
    }
}

@Suite struct LogWriterTests {
    private func settings(_ path: String?, json: Bool = false, level: Logger.Level = .info) -> DaemonSettings {
        var settings = DaemonSettings()
        settings.logFile = path
        settings.logsJSON = json
        settings.logLevel = level
        settings.reportsErrorsToStandardError = false
        return settings
    }

    @Test func linesAreAppendedInOrder() async throws {
        let folder = try ScratchFolder()
        try Data("before\n".utf8).write(to: URL(filePath: folder["log"]))
        let writer = LogWriter(settings(folder["log"]))
        let logger = Logger(label: "a") { writer.handler(label: $0) }
        for number in 0..<1000 { logger.info("line \(number)") }
        await writer.flush()
        let lines = folder.lines("log")
        #expect(lines.first == "before")
        #expect(lines.dropFirst().map { $0.split(separator: ": ").last } == (0..<1000).map { "line \($0)" })
    }

    @Test func levelCanBeChangedForAllAtOnce() async throws {
        let folder = try ScratchFolder()
        let writer = LogWriter(settings(folder["log"], level: .notice))
        let logger = Logger(label: "a") { writer.handler(label: $0) }
        var own = logger
        own.logLevel = .trace
        logger.debug("one")
        writer.level = .debug
        logger.debug("two")
        own.trace("three")
        await writer.flush()
        #expect(folder.lines("log").map { $0.suffix(3) } == ["two", "ree"])
    }

    @Test func metadataOfLoggerCallAndErrorMeet() async throws {
        struct Trouble: Error, CustomStringConvertible { let description = "out of luck" }
        let folder = try ScratchFolder()
        let writer = LogWriter(settings(folder["log"], json: true))
        var logger = Logger(label: "a") { writer.handler(label: $0) }
        logger[metadataKey: "rbd.image"] = "p/a"
        logger[metadataKey: "pool"] = "p"
        logger.error("failed", error: Trouble(), metadata: ["rbd.image": "p/b"])
        await writer.flush()
        #expect(folder.text("log").contains(#""metadata":{"error":"out of luck","pool":"p","rbd.image":"p/b"}"#))
    }

    @Test func reopenFollowsTheName() async throws {
        let folder = try ScratchFolder()
        let writer = LogWriter(settings(folder["log"]))
        let logger = Logger(label: "a") { writer.handler(label: $0) }
        logger.info("old")
        await writer.flush()
        try FileManager.default.moveItem(atPath: folder["log"], toPath: folder["log.1"])
        logger.info("still old")
        await writer.reopen()
        logger.info("new")
        await writer.flush()
        #expect(folder.lines("log.1").count == 2)
        #expect(folder.lines("log").count == 1)
    }

    @Test func logCannotBeOpenedThenCan() async throws {
        let folder = try ScratchFolder()
        let writer = LogWriter(settings(folder["sub/log"]))
        let logger = Logger(label: "a") { writer.handler(label: $0) }
        logger.info("lost")
        await writer.flush()
        try FileManager.default.createDirectory(atPath: folder["sub"], withIntermediateDirectories: false)
        await writer.reopen()
        logger.info("kept")
        await writer.flush()
        #expect(folder.lines("sub/log").count == 1)
    }

    @Test func linesLostToAFullDiskAreCounted() async throws {
        let folder = try ScratchFolder()
        try FileManager.default.createSymbolicLink(atPath: folder["log"], withDestinationPath: "/dev/full")
        let writer = LogWriter(settings(folder["log"]))
        let logger = Logger(label: "a") { writer.handler(label: $0) }
        for _ in 0..<3 {
            logger.info("lost")
            await writer.flush()
        }
        try FileManager.default.removeItem(atPath: folder["log"])
        await writer.reopen()
        logger.info("kept")
        await writer.flush()
        #expect(folder.text("log").contains("kept\n"))
        #expect(folder.text("log").contains("warning log: 3 lines lost\n"))
    }

    @Test func stopWritesWhatIsLeftAndLaterWishesReturn() async throws {
        let folder = try ScratchFolder()
        let writer = LogWriter(settings(folder["log"]))
        let logger = Logger(label: "a") { writer.handler(label: $0) }
        for number in 0..<100 { logger.info("\(number)") }
        writer.stop()
        #expect(folder.lines("log").count == 100)
        logger.info("too late")
        await writer.flush()
        await writer.reopen()
        writer.stop()
        #expect(folder.lines("log").count == 100)
    }

    @Test func stuckReaderCostsLinesNotTimeOrMemory() async throws {
        let folder = try ScratchFolder()
        #expect(mkfifo(folder["log"], 0o600) == 0)
        let reader = open(folder["log"], O_RDONLY | O_NONBLOCK)
        let writer = LogWriter(settings(folder["log"]))
        let logger = Logger(label: "a") { writer.handler(label: $0) }
        let start = ContinuousClock.now
        let filler = String(repeating: "x", count: 1000)
        for _ in 0..<5000 { logger.info("\(filler)") }
        #expect(ContinuousClock.now - start < .seconds(5))
        writer.stop(within: .milliseconds(100))
        #expect(ContinuousClock.now - start < .seconds(6))
        close(reader)
    }

    @Test func queueIsBoundedAndCountsWhatItRefuses() {
        let queue = LogQueue(limit: 100)
        for _ in 0..<10 { queue.put(String(repeating: "x", count: 30), isError: false) }
        queue.put(.flush) {}
        let (items, lost) = queue.take()
        #expect(items.count == 3 + 1, "three lines fit, a wish always does")
        #expect(lost == 7)
        queue.put("x", isError: false)
        #expect(queue.take().items.count == 1, "what was taken makes room")
    }

    @Test func adminCommands() async throws {
        let folder = try ScratchFolder()
        let writer = LogWriter(settings(folder["log"]))
        #expect(writer.commands.map(\.prefix) == ["log flush", "log reopen"])
        for command in writer.commands { #expect(await command.run(AdminRequest(prefix: command.prefix)) == .json([:])) }
    }
}

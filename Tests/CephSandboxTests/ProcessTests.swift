import CephSandbox
import Glibc
import SystemPackage
import Testing

@Suite struct ProcessTests {
    let log = FilePath("/tmp/ceph-sandbox-test-\(UInt32.random(in: 0 ... .max)).log")

    /// An argument for `sleep` by which the process is found again, also beside another run of these tests.
    let span = "1000.\(UInt32.random(in: 0 ... .max))"

    @Test func capturesBothStreams() async throws {
        let output = try await SandboxProcess.run("sh", ["-c", "cat; echo oops >&2; exit 3"], input: Array("hello".utf8))
        #expect(output.text == "hello")
        #expect(output.errorText == "oops\n")
        #expect(output.exit.status == 3)
        #expect(output.exit.isSuccess == false)
    }

    @Test func capturesMoreThanAPipeHolds() async throws {
        let input = [UInt8](repeating: 7, count: 3 << 20)
        let output = try await SandboxProcess.run("cat", input: input)
        #expect(output.standardOutput == input)
    }

    @Test func runsManyAtOnce() async throws {
        let words = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<64 { group.addTask { try await SandboxProcess.run("echo", ["\(number)"]).text } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(words.count == 64)
    }

    @Test func passesTheEnvironment() async throws {
        setenv("CEPH_ARGS", "--no-such-option", 1)
        let output = try await SandboxProcess.run("sh", ["-c", "echo $GREETING ${CEPH_ARGS-none} $PATH"], environment: ["GREETING": "hi"])
        #expect(output.text == "hi none \(String(cString: getenv("PATH")))\n")
    }

    @Test func passesNoDescriptor() async throws {
        // Not marked close-on-exec, as a careless library would open it.
        let file = open("/dev/null", O_RDONLY)
        defer { close(file) }
        let output = try await SandboxProcess.run("sh", ["-c", "test -e /proc/self/fd/\(file) && echo open || echo closed"])
        #expect(output.text == "closed\n")
    }

    @Test func killsACommandAndItsChildrenWhenTimeIsOver() async throws {
        let error = await #expect(throws: SandboxError.self) {
            try await SandboxProcess.run("sh", ["-c", "echo at work >&2; sleep \(span) & wait"], timeout: .milliseconds(300))
        }
        #expect(error?.code == .commandTimedOut)
        #expect(error?.standardError == "at work\n")
        try await waitUntil("the child is gone") { processes(mentioning: span).isEmpty }
    }

    @Test func killsTheCommandOfACancelledTask() async throws {
        let task = Task { try await SandboxProcess.run("sleep", [span]) }
        try await waitUntil("it runs") { !processes(mentioning: span).isEmpty }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(processes(mentioning: span).isEmpty)
    }

    @Test func namesAMissingProgram() async throws {
        let error = await #expect(throws: SandboxError.self) { try await SandboxProcess.run("no-such-program") }
        #expect(error?.code == .missingPackage)
        #expect(error?.message.contains("no-such-program") == true)
    }

    @Test func appendsOutputToTheLog() async throws {
        defer { unlink(log.string) }
        for word in ["one", "two"] {
            let process = try SandboxProcess.start("sh", ["-c", "echo \(word); echo \(word)! >&2"], log: log)
            #expect(try await process.waitForExit().isSuccess)
            #expect(process.isRunning == false)
        }
        let process = try SandboxProcess.start("true", log: log)
        try await process.waitForExit()
        #expect(process.logTail(lines: 3) == "one!\ntwo\ntwo!")
        var info = stat()
        #expect(stat(log.string, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o600)
    }

    @Test func freezesAndThaws() async throws {
        defer { unlink(log.string) }
        let process = try SandboxProcess.start("sh", ["-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done"], log: log)
        try await waitUntil("the trap is set") { process.logTail() == "ready" }
        try await process.freeze()
        process.send(.terminate)
        await #expect(throws: SandboxError.self) { try await process.waitForExit(within: .milliseconds(200)) }
        #expect(process.isRunning)
        try await process.thaw()
        #expect(try await process.waitForExit().status == 5)
        #expect(process.send(.terminate) == false)
        await #expect(throws: SandboxError.self) { try await process.freeze() }
    }

    @Test func killsAFrozenProcess() async throws {
        defer { unlink(log.string) }
        let process = try SandboxProcess.start("sleep", ["1000"], log: log)
        try await process.freeze()
        #expect(try await process.kill().signal == SIGKILL)
        #expect(try await process.kill().signal == SIGKILL)
        #expect(process.exit?.status == nil)
    }

    @Test func terminatesWithinALimit() async throws {
        defer { unlink(log.string) }
        let process = try SandboxProcess.start("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.02; done"], log: log)
        try await waitUntil("the trap is set") { process.logTail() == "ready" }
        let error = await #expect(throws: SandboxError.self) { try await process.terminate(within: .milliseconds(200)) }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.logTail == "ready")
        try await process.kill()
    }

    @Test func findsExecutablesBesideTheTests() throws {
        #expect(access(try SandboxProcess.sibling("SandboxHolder").string, X_OK) == 0)
    }
}

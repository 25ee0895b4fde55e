/// Says what a sandbox could not do, and what to do about it.
///
/// `description` is made to be read in a test's output: what happened, what to do, and the tail
/// of the log that explains it.
public struct SandboxError: Error, Hashable, Sendable {
    /// The kind of failure; an open set.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        private init(_ name: String) { description = name }

        /// A program the sandbox needs is not installed; the message names its Debian package.
        public static let missingPackage = Code("missing package")
        /// A command ran and failed; `standardError` is set, and `exit` if it was a program.
        public static let commandFailed = Code("command failed")
        /// A command was killed because it did not end in time.
        public static let commandTimedOut = Code("command timed out")
        /// A daemon ended although it should run.
        public static let daemonExited = Code("daemon exited")
        /// A condition did not come true in time.
        public static let deadlineExceeded = Code("deadline exceeded")
        /// The request makes no sense, for example two clusters of one name in a pair.
        public static let invalidRequest = Code("invalid request")
        /// A call to the operating system failed.
        public static let systemCall = Code("system call")
        /// Output of a command could not be decoded.
        public static let unexpectedOutput = Code("unexpected output")
    }

    public let code: Code
    /// What happened, in one sentence.
    public let message: String
    /// What to do about it; empty if there is nothing to advise.
    public let advice: String
    /// The last lines of the log that explains the failure; empty if there is none.
    public let logTail: String
    /// The command line that failed, for `.commandFailed` and `.commandTimedOut`.
    public let command: [String]
    /// How that command ended.
    public let exit: SandboxExit?
    /// What that command wrote to its standard error.
    public let standardError: String

    init(
        _ code: Code, _ message: String, advice: String = "", logTail: String = "",
        command: [String] = [], exit: SandboxExit? = nil, standardError: String = ""
    ) {
        self.code = code
        self.message = message
        self.advice = advice
        self.logTail = logTail
        self.command = command
        self.exit = exit
        self.standardError = standardError
    }
}

extension SandboxError: CustomStringConvertible {
    public var description: String {
        var lines = [message]
        if !advice.isEmpty { lines.append("What to do: \(advice)") }
        if !standardError.isEmpty { lines.append("Standard error:\n\(standardError)") }
        if !logTail.isEmpty { lines.append("End of the log:\n\(logTail)") }
        return lines.joined(separator: "\n")
    }
}

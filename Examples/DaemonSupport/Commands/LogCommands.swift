public import AdminSocket

extension LogWriter {
    /// The commands `log flush` and `log reopen`.
    public var commands: [AdminCommand] {
        [
            AdminCommand("log flush", help: "flush log entries to log file") { _ in
                await self.flush()
                return .json([:])
            },
            AdminCommand("log reopen", help: "reopen log file") { _ in
                await self.reopen()
                return .json([:])
            },
        ]
    }
}

/// Tells of each step, what it took, and which one failed.
struct Narrator: Sendable {
    let terminal: Terminal

    /// Runs a step and says that it is done.
    @discardableResult
    func step<Result>(_ title: String, _ body: () async throws -> Result) async throws -> Result {
        let start = ContinuousClock.now
        do {
            let result = try await body()
            done(title, start.duration(to: .now) / .seconds(1))
            return result
        } catch {
            throw DemoError("\(title): \(error)")
        }
    }

    func done(_ title: String, _ seconds: Double, _ remark: String = "") {
        let line = "  ok \(title.padded(44)) \(Ledger.seconds(seconds).leftPadded(8))"
        terminal.line(remark.isEmpty ? line : "\(line)   \(remark)")
    }

    /// Adds to the step before.
    func remark(_ text: String) { terminal.line("     \(text)") }
}

internal import AdminSocket
internal import Dispatch
public import Logging
internal import Synchronization

/// The daemon's log: takes lines without waiting and writes them on a thread of its own.
///
/// A line is `TIME LEVEL LABEL: MESSAGE KEY=VALUE…`, or a JSON object. Values of keys such as `key`, `secret` and
/// `token` are not written. Lines beyond four MiB waiting are counted and dropped, and the count is logged.
public final class LogWriter: Sendable {
    private let queue = LogQueue(limit: 4 << 20)
    private let isJSON: Bool
    private let currentLevel: Mutex<Logger.Level>

    /// Opens the log. If its file cannot be opened, says so on standard error and tries again at each `reopen()`.
    public convenience init(_ settings: DaemonSettings) { self.init(settings, owner: nil) }

    init(_ settings: DaemonSettings, owner: Identity?) {
        isJSON = settings.logsJSON
        currentLevel = Mutex(settings.logLevel)
        let file = LogFile(
            path: settings.logFile, allToStandardError: settings.logsToStandardError,
            errorsToStandardError: settings.reportsErrorsToStandardError)
        if let owner { file.giveTo(user: owner.user, group: owner.group) }
        startThread { [queue] in Self.write(from: queue, to: file) }
    }

    deinit { stop(within: .seconds(1)) }

    /// The level of every logger that has not been given its own; may be changed at any time.
    public var level: Logger.Level {
        get { currentLevel.withLock { $0 } }
        set { currentLevel.withLock { $0 = newValue } }
    }

    /// Creates a handler, for `LoggingSystem.bootstrap`.
    public func handler(label: String) -> any LogHandler { DaemonLogHandler(label: label, writer: self) }

    /// Opens the file anew, as after it was moved away; returns when that is done.
    public func reopen() async {
        await withCheckedContinuation { done in queue.put(.reopen) { done.resume() } }
    }

    /// Returns when everything logged so far has been written.
    public func flush() async {
        await withCheckedContinuation { done in queue.put(.flush) { done.resume() } }
    }

    /// Writes what is waiting and closes the file. Gives up after a time, so that a stuck disk cannot hold up the exit.
    public func stop(within limit: Duration = .seconds(5)) {
        let done = DispatchSemaphore(value: 0)
        queue.put(.stop) { done.signal() }
        _ = done.wait(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1))))
    }

    func put(_ record: LogRecord) {
        queue.put(record.line(json: isJSON), isError: record.level >= .error)
    }

    private static func write(from queue: LogQueue, to opened: LogFile) {
        ignoreBrokenPipes()
        var file = opened
        while true {
            let (items, lost) = queue.take()
            var lines: [(text: String, isError: Bool)] = []
            if lost > 0 { file.write([], lost: lost) }
            for item in items {
                switch item {
                case .line(let text, let isError):
                    lines.append((text, isError))
                case .wish(let wish, let done):
                    file.write(lines, lost: 0)
                    lines = []
                    if wish == .reopen { file.reopen() }
                    if wish == .stop { file.shut() }
                    done()
                    if wish == .stop { return }
                }
            }
            file.write(lines, lost: 0)
        }
    }
}

/// A logger's end of the log: collects metadata, leaves the rest to the writer.
struct DaemonLogHandler: LogHandler {
    let label: String
    let writer: LogWriter
    private var ownLevel: Logger.Level?
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(label: String, writer: LogWriter) {
        self.label = label
        self.writer = writer
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? writer.level }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { $1 } }
        if let own = event.metadata { merged.merge(own) { $1 } }
        if let error = event.error { merged["error"] = "\(error)" }
        writer.put(
            LogRecord(
                time: .now, level: event.level, label: label, message: event.message.description, metadata: merged))
    }
}

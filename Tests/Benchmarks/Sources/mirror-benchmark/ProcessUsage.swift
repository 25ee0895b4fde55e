import Foundation

/// What a process has used, as `/proc` tells it.
struct ProcessUsage {
    /// User and system time.
    var processorSeconds: Double
    /// The most memory it had resident since ``resetPeak(_:)``.
    var peakBytes: Int

    init(of process: Int32) throws {
        processorSeconds = try Self.seconds(of: process)
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { throw BenchmarkError("/proc/\(process)/status has no VmHWM") }
        peakBytes = kilobytes << 10
    }

    /// Begins a new peak at what is resident now.
    static func resetPeak(_ process: Int32) throws {
        try Data("5".utf8).write(to: URL(filePath: "/proc/\(process)/clear_refs"))
    }

    /// User and system time; that of children waited for on request.
    static func seconds(of process: Int32, withChildren: Bool = false) throws -> Double {
        let stat = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        // The second field is the name in brackets and may hold anything.
        let fields = stat[stat.lastIndex(of: ")")!...].dropFirst().split(separator: " ").compactMap { Double($0) }
        // What is left begins with the parent: utime is the 14th field of all, the state in between is no number.
        return fields[10..<(withChildren ? 14 : 12)].reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    func since(_ before: ProcessUsage) -> ProcessUsage {
        var result = self
        result.processorSeconds -= before.processorSeconds
        return result
    }
}

/// How busy the machine is, and with whom.
struct MachineUsage {
    let busySeconds: Double
    let totalSeconds: Double
    let ownSeconds: Double

    /// - Parameter own: The processes of the benchmark, its own children aside.
    init(own processes: [Int32]) throws {
        let stat = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
        let ticks = stat.prefix { $0 != "\n" }.split(separator: " ").compactMap { Double($0) }
        let hertz = Double(sysconf(Int32(_SC_CLK_TCK)))
        // user nice system idle iowait irq softirq steal; guests are in user already.
        totalSeconds = ticks.prefix(8).reduce(0, +) / hertz
        busySeconds = totalSeconds - (ticks[3] + ticks[4]) / hertz
        ownSeconds = try processes.reduce(ProcessUsage.seconds(of: getpid(), withChildren: true)) {
            try $0 + ProcessUsage.seconds(of: $1)
        }
    }

    /// The share of the machine that was in use since then, by anybody.
    func busy(since before: MachineUsage) -> Double {
        (busySeconds - before.busySeconds) / max(0.01, totalSeconds - before.totalSeconds)
    }

    /// The share of the machine that strangers took since then.
    func strangers(since before: MachineUsage) -> Double {
        let total = totalSeconds - before.totalSeconds
        guard total > 0 else { return 0 }
        return max(0, (busySeconds - before.busySeconds) - (ownSeconds - before.ownSeconds)) / total
    }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

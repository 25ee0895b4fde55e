/// What is under way of a replay, and who waits for it.
struct ReplayWaves {
    private(set) var count = 0
    /// That are being changed.
    private(set) var objects: Set<UInt64> = []
    private(set) var bytes = 0
    /// The first one.
    private(set) var failure: (any Error)?
    /// Entries whose data is not durable, with the objects that are missing for that.
    private var open: [Int: Int] = [:]
    private var newest = -1
    /// What is kept for the entries up to a number.
    private var held: [(entry: Int, resource: any AnyObject & Sendable)] = []
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// An entry changes some objects.
    mutating func open(_ entry: Int, objects: Int) {
        open[entry] = objects
        newest = entry
    }

    mutating func begin(_ wave: ReplayBatch) {
        count += 1
        objects.formUnion(wave.objects.keys)
        bytes += wave.bytes
    }

    /// Returns the entries that are durable by that.
    mutating func end(_ wave: ReplayBatch, _ failure: (any Error)?) -> [Int] {
        count -= 1
        objects.subtract(wave.objects.keys)
        bytes -= wave.bytes
        if self.failure == nil { self.failure = failure }
        for continuation in waiting { continuation.resume() }
        waiting = []
        guard failure == nil else { return [] }
        var done: [Int] = []
        for entry in wave.entries.values.joined() {
            open[entry]! -= 1
            guard open[entry] == 0 else { continue }
            open[entry] = nil
            done.append(entry)
        }
        letGo()
        return done
    }

    /// Resumes somebody when a wave has ended.
    mutating func wait(_ continuation: CheckedContinuation<Void, Never>) { waiting.append(continuation) }

    func check() throws { if let failure { throw failure } }

    /// Keeps something until the data of all entries so far is durable.
    mutating func hold(_ resource: any AnyObject & Sendable) {
        held.append((newest, resource))
        letGo()
    }

    private mutating func letGo() {
        let oldest = open.keys.min() ?? .max
        held.removeAll { $0.entry < oldest }
    }
}

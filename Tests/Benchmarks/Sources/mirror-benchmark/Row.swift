/// A row of the table: one kind of work both daemons are given.
enum Row: String, CaseIterable {
    case firstSync = "1"
    case scatteredDelta = "2"
    /// The same on an empty image of so many objects that nearly every write makes one.
    case smallObjectDelta = "2s"
    case smallDelta = "3"
    case newImages = "4"

    var title: String {
        switch self {
        case .firstSync: "first sync of 1.5 GiB"
        case .scatteredDelta: "delta of 8,192 random 4 KiB writes"
        case .smallObjectDelta: "the same in an empty image of 64 KiB objects"
        case .smallDelta: "delta of 64 KiB, from the command"
        case .newImages: "40 new images of 8 MiB"
        }
    }
}

/// One measurement.
struct Sample {
    let row: Row
    let contender: String
    let seconds: Double
    let usage: ProcessUsage
    /// The share of the machine's processor time that others than the benchmark's own processes took.
    let strangers: Double
}

/// One run of the bare copy loop.
struct LoopSample {
    let depth: Int
    let seconds: Double
    let bytes: Int
    let strangers: Double
}

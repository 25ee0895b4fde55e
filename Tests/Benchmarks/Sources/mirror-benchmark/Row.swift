/// A row of the table: one kind of work both daemons are given.
enum Row: String, CaseIterable {
    case firstSync = "1"
    case scatteredDelta = "2"
    /// The same on an empty image of so many objects that nearly every write makes one.
    case smallObjectDelta = "2s"
    case smallDelta = "3"
    /// What of row 3 the stock command took, until the source had its snapshot.
    case smallDeltaCommand = "3c"
    case newImages = "4"
    case backlog = "5"
    /// The same of 1 GiB, for what it takes of memory; stock takes a third of an hour.
    case largeBacklog = "5g"
    case smallBacklog = "6"
    case liveWrite = "7"

    /// Of images that are mirrored by journal.
    static let byJournal: [Row] = [.backlog, .largeBacklog, .smallBacklog, .liveWrite]

    /// Rows that are work of their own.
    static let work = allCases.filter { $0 != .smallDeltaCommand }

    var title: String {
        switch self {
        case .firstSync: "first sync of 1.5 GiB"
        case .scatteredDelta: "delta of 8,192 random 4 KiB writes"
        case .smallObjectDelta: "the same in an empty image of 64 KiB objects"
        case .smallDelta: "delta of 64 KiB, from the command"
        case .smallDeltaCommand: "of that, until the source has its snapshot"
        case .newImages: "40 new images of 8 MiB"
        case .backlog: "journal, backlog of 256 MiB in 64 KiB writes, from daemon start"
        case .largeBacklog: "journal, backlog of 1 GiB in 64 KiB writes, from daemon start"
        case .smallBacklog: "journal, backlog of 20,480 4 KiB writes, from daemon start"
        case .liveWrite: "journal, one live write until it is readable"
        }
    }
}

/// One measurement.
struct Sample {
    let row: Row
    let contender: String
    let seconds: Double
    let usage: ProcessUsage
    /// The share of the machine's processor time that was used by anybody.
    let busy: Double
    /// The share of the machine's processor time that others than the benchmark's own processes took.
    let strangers: Double
}

/// One run of a bare loop.
struct LoopSample {
    /// A bare loop: what no daemon can be faster than.
    enum Kind: String, CaseIterable {
        case copy = "bare copy loop"
        case scattered = "bare loop of row 2"
    }

    let kind: Kind
    /// Objects in flight.
    let depth: Int
    let seconds: Double
    let bytes: Int
    let strangers: Double
}

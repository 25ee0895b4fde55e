/// Makes the answers of status commands comparable: what differs from run to run is replaced, and the reason of a split-brain,
/// which stock does not give; everything else stays.
struct StatusMask {
    /// Ids of the service and of the pool's client; each has a number of its own, so that they must still match each other.
    private let clients: [String]

    /// - Parameter service: What `ceph service status` printed.
    init(service: String) {
        clients = service.matches(of: /"(\d+)": \{\n/).map { String($0.1) }
            + service.matches(of: /\\"instance_id\\":\\"(\d+)\\"/).map { String($0.1) }
    }

    func applied(to answer: String) -> String {
        var text = answer
        for (number, client) in clients.enumerated() {
            // Not as a part of a uuid.
            let alone = try! Regex("([^-0-9a-f])\(client)(?![-0-9a-f])", as: (Substring, Substring).self)
            text = text.replacing(alone) { "\($0.output.1)\(number + 1)" }
        }
        return Self.withoutSnapshots(Self.withoutTimes(Self.withoutConnection(Self.withoutRates(text))))
            .replacing("remote image demoted", with: Self.afterDemotion)
            .replacing(/split-brain: [^"\n]*/, with: "split-brain")
    }

    /// When stock goes over from the first to the second sentence after a demotion is up to its clock.
    private static let afterDemotion = "remote image is not primary"

    /// Speeds and durations; whether they are whole numbers still shows. The time left is there or not: stock may write its figures
    /// before it knows a speed, and then not again for long.
    private static func withoutRates(_ text: String) -> String {
        text.replacing(/,\\?"seconds_until_synced\\?":[\d.]+/, with: "").replacing(
            /(bytes_per_second|syncing_percent|last_snapshot_sync_seconds)(\\?":)([\d.]+)/
        ) { "\($0.1)\($0.2)\($0.3.contains(".") ? "0.0" : "0")" }
    }

    /// Dates are left out; the times of an image's snapshots are numbered in their order.
    private static func withoutTimes(_ text: String) -> String {
        text.replacing(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+\+\d{4})?/, with: "TIME")
            .replacing(/replaying, \{[^}]*\}/) { figures in
                let order = Set(figures.0.matches(of: /_snapshot_timestamp\\?":(\d+)/).map(\.1)).sorted()
                return figures.0.replacing(/(_snapshot_timestamp\\?":)(\d+)/) { "\($0.1)\(order.firstIndex(of: $0.2)!)" }
            }
    }

    private static func withoutConnection(_ text: String) -> String {
        text.replacing(/("(?:start_)?epoch": ?)\d+/) { "\($0.1)0" }
            .replacing(/127\.0\.0\.1:0\/\d+/, with: "ADDRESS")
    }

    private static func withoutSnapshots(_ text: String) -> String {
        text.replacing(/(\s|"id":)\d+((?:,"name":"| )\.mirror\.primary\.[0-9a-f-]{36}\.)[0-9a-f-]{36}/) { "\($0.1)0\($0.2)UUID" }
    }
}

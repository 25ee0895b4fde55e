// A daemon of ours that only takes part: for tests that kill it. Says on standard output what becomes of it.
//
// Arguments: configuration file, pool, daemon's name, heartbeat interval in seconds, global image ids.
import CephCore
import Glibc
import Logging
import RBDMirroring

struct Owner: ImageOwner {
    func acquire(globalID: String) async { say("acquired \(globalID)") }
    func release(globalID: String) async { say("released \(globalID)") }
    func peerImageRemoved(globalID: String, mirrorUUID: String) async {}
    func contactLost(_ loss: ContactLoss) async { say("lost") }
}

func say(_ text: String) {
    print(text)
    fflush(nil)
}

let arguments = Array(CommandLine.arguments.dropFirst())
let cluster = try await Cluster.connect(.configurationFile(arguments[0]))
let configuration = CooperationConfiguration(
    timing: .init(heartbeatInterval: .seconds(Double(arguments[3])!)),
    assignment: .init(migrationThrottle: .zero, retryInterval: .milliseconds(200)), notifyTimeout: .seconds(2))
let start = ContinuousClock.now
let cooperator = Cooperator(
    pool: try await cluster.pool(arguments[1]), configuration: configuration, identity: .current(daemon: arguments[2]),
    logger: Logger(label: "holder"))
let share = try await cooperator.start(Owner())
say("instance \(cooperator.instanceID)")
await share.imagesChanged(local: [], remote: Set(arguments.dropFirst(4)))
for await event in cooperator.events where event.kind == .leading { say("leading after \(ContinuousClock.now - start)") }

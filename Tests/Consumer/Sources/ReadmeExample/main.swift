import CephCore
import Logging
import RBDMirroring
import ServiceLifecycle

let logger = Logger(label: "disaster-recovery")
let siteB = ClusterConfiguration(.named("site-b"), as: "client.rbd-mirror.b")
let mirror = RBDMirror(RBDMirrorConfiguration(cluster: siteB), logger: logger)

let watcher = Task {
    for await event in mirror.events {
        print(event.subject?.description ?? "-", event.status?.reason.rawValue ?? event.text)
    }
}
try await ServiceGroup(services: [mirror], gracefulShutdownSignals: [.sigterm], logger: logger).run()
watcher.cancel()

import CephSandbox
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// An administrator fences our daemon: it stops writing and comes back by itself with a client of its own.
    @Suite struct BlocklistTests {
        /// Which of the daemon's clients is fenced.
        enum Victim: String, CaseIterable, Sendable {
            /// The pool's client on its own cluster.
            case target
            /// The pool's client on the peer's.
            case source
            /// The one that looks at the pools and has the entry in the service map.
            case service
        }

        @Test func fencedInMidSync() async throws {
            try await withScene("fenced") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(.forRun("fenced"), size: 12 << 20)
                try await scene.createImage("disk", mebibytes: 12, options: ["--object-size", "64K"])
                let daemon = try await scene.startDaemon(
                    on: siteB, options: ["--rbd_mirror_pool_replayers_refresh_interval", "2"])
                try await workload.fill { try await siteA.write($0, to: "disk") }
                try await scene.takeMirrorSnapshot("disk")
                try await scene.waitForSync("disk")
                for victim in Victim.allCases {
                    try await siteB.slowDown()
                    try await workload.fill { try await siteA.write($0, to: "disk") }
                    try await scene.takeMirrorSnapshot("disk")
                    try await scene.holdSync("disk")
                    let start = try daemon.wholeLog().count
                    try await scene.fence(victim)
                    // What the old client has left is gone, and the image is served.
                    try await scene.expectFollowed("disk", workload.churned(), within: .seconds(30))
                    #expect(try daemon.wholeLog().dropFirst(start).contains("this client is blocklisted"))
                }
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["disk"])
            }
        }
    }
}

extension Scene {
    /// Fences a client of the daemon and waits until another one has taken its place.
    fileprivate func fence(_ victim: EndToEnd.BlocklistTests.Victim) async throws {
        let old = try await addresses(of: victim)
        guard let address = old.first, old.count == 1 else { throw ToolFailure(tool: "the test", text: "clients: \(old)") }
        let site = victim == .source ? siteA : siteB
        try await site.cluster.ceph("osd", "blocklist", "add", address, "3600")
        let fenced = ContinuousClock.now
        try await siteB.goAtFullSpeed()
        try await waitUntil("another client has taken the place of \(address)", within: .seconds(20), every: .milliseconds(100)) {
            let now = try await addresses(of: victim)
            return now.count == 1 && now != old
        }
        print("\(victim): a new client \(fenced.duration(to: .now)) after the old one was fenced")
    }

    /// Addresses of the daemon's clients, as the blocklist takes them.
    fileprivate func addresses(of victim: EndToEnd.BlocklistTests.Victim) async throws -> Set<String> {
        switch victim {
        case .target: try await siteB.watchers(of: "rbd_mirroring")
        case .source: try await siteA.watchers(of: "rbd_mirroring")
        case .service: try await siteB.serviceAddresses()
        }
    }
}

extension Site {
    /// Addresses of the clients that watch an object.
    func watchers(of object: String) async throws -> Set<String> {
        let lines = try await rados("listwatchers", object)
        return Set(lines.split(separator: "\n").compactMap { $0.firstMatch(of: /watcher=(\S+)/).map { String($0.1) } })
    }

    /// Addresses of the mirror daemons in the service map.
    fileprivate func serviceAddresses() async throws -> Set<String> {
        let text = try await cluster.ceph("service", "dump", "--format", "json")
        let map = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let services = map?["services"] as? [String: Any]
        let daemons = (services?["rbd-mirror"] as? [String: Any])?["daemons"] as? [String: Any] ?? [:]
        return Set(daemons.values.compactMap { ($0 as? [String: Any])?["addr"] as? String })
    }
}

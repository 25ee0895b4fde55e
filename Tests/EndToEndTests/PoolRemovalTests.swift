import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// A pool is deleted under the daemon, and one of that name is made: other pools are served all the time.
    @Suite struct PoolRemovalTests {
        private static let looksOften = ["--rbd_mirror_pool_replayers_refresh_interval", "2"]

        @Test func theReplicasPoolGoes() async throws {
            try await withScene("pool-stays") { other in
                try await withScene("pool-goes") { scene in
                    let (siteA, siteB) = (scene.siteA, scene.siteB)
                    let daemon = try await scene.startDaemon(on: siteB, options: Self.looksOften)
                    try await scene.makeReplicas(["disk"])
                    try await other.makeReplicas(["other"])
                    try await siteB.deletePool()
                    try await other.isServed("other")
                    try await waitUntil("the daemon no longer has the pool", within: .seconds(40), every: .milliseconds(500)) {
                        let services = try await siteB.serviceStatus()
                        return services.contains(#"\"name\":\"pool-stays\""#) && !services.contains(#"\"name\":\"pool-goes\""#)
                    }
                    try await other.isServed("other")

                    // All of it comes anew.
                    try await siteB.cluster.createPool(siteB.pool)
                    try await siteB.rbd("mirror", "pool", "enable", siteB.pool, "image")
                    try await scene.introduce()
                    try await scene.takeMirrorSnapshot("disk")
                    try await scene.waitForSync("disk")
                    try await ImageJudge(image: "disk").compare(siteA, siteB)
                    try await other.isServed("other")
                    try await daemon.terminate()
                    try await Leftovers(site: siteB).expectNone(images: ["disk"])
                }
            }
        }

        @Test func theSourcesPoolGoes() async throws {
            try await withScene("source-stays") { other in
                try await withScene("source-goes") { scene in
                    let (siteA, siteB) = (scene.siteA, scene.siteB)
                    let daemon = try await scene.startDaemon(on: siteB, options: Self.looksOften)
                    try await scene.makeReplicas(["disk"])
                    try await other.makeReplicas(["other"])
                    let id = try await siteB.imageID("disk")
                    let content = try await siteB.checksum("disk")
                    try await siteA.deletePool()
                    try await waitUntil("the service says what is wrong", within: .seconds(40), every: .milliseconds(500)) {
                        try await siteB.serviceStatus()
                            .contains("pool source-goes does not exist at site site-a, or is not mirrored there")
                    }
                    try await siteB.waitForHealth("ERROR")
                    try await daemon.waitForLog("peer does not answer")
                    try await other.isServed("other")
                    try await other.siteB.waitForHealth("OK")

                    // What is in the new pool is followed; what was filled from the old one is kept.
                    try await siteA.cluster.createPool(siteA.pool)
                    try await siteA.rbd("mirror", "pool", "enable", siteA.pool, "image")
                    try await siteB.waitForStatus("disk", "a stranger's", within: .seconds(60)) {
                        $0.description.hasPrefix("local image linked to unknown peer: ")
                    }
                    try await scene.makeReplicas(["new"])
                    try await ImageJudge(image: "new").compare(siteA, siteB)
                    try await other.isServed("other")
                    #expect(try await siteB.imageID("disk") == id)
                    #expect(try await siteB.checksum("disk") == content)
                    #expect(try await siteB.trash().isEmpty)
                    try await daemon.terminate()
                }
            }
        }

        /// Its placement groups do not serve: every call on it runs into its deadline.
        @Test func aPoolThatDoesNotAnswer() async throws {
            try await withScene("pool-answers") { scene in
                let siteB = scene.siteB
                try await scene.addPool("pool-silent", on: siteB)
                try await siteB.cluster.ceph("osd", "pool", "set", "pool-silent", "size", "2", "--yes-i-really-mean-it")
                try await siteB.cluster.ceph("osd", "pool", "set", "pool-silent", "min_size", "2")
                let daemon = try await scene.startDaemon(on: siteB, options: ["--rados_osd_op_timeout", "5"])
                try await daemon.waitForLog("cannot look at a pool", within: .seconds(60))
                try await scene.makeReplicas(["disk"])
                try await ImageJudge(image: "disk").compare(scene.siteA, siteB)
                try await daemon.terminate()
            }
        }
    }
}

extension Scene {
    /// Writes to an image and expects that soon on the other side.
    fileprivate func isServed(_ image: String) async throws {
        var workload = SourceWorkload(SeededRandom.forRun("served"), size: 16 << 20)
        try await siteA.write(workload.churned(), to: image)
        try await takeMirrorSnapshot(image)
        try await waitForSync(image, within: .seconds(20))
        try await ImageJudge(image: image).compare(siteA, siteB)
    }

    /// Makes the scene's pools peers of each other, as far as they are not.
    fileprivate func introduce() async throws {
        let token = try await siteA.rbd("mirror", "pool", "peer", "bootstrap", "create", "--site-name", siteA.name, siteA.pool)
        // The token is a secret; standard input keeps it out of the list of processes.
        let script = "rbd mirror pool peer bootstrap import --site-name \"$1\" --direction rx-tx \"$2\" /dev/stdin"
        try await siteB.cluster.run("bash", ["-c", script, "bash", siteB.name, siteB.pool], input: token)
    }
}

extension Site {
    fileprivate func deletePool() async throws {
        try await cluster.removePool(pool)
    }

    /// Waits until `rbd mirror pool status` has a verdict on the pool's daemons.
    fileprivate func waitForHealth(_ health: String) async throws {
        struct Status: Decodable {
            var summary: Summary
            struct Summary: Decodable { var daemon_health: String }
        }
        var last = ""
        try await waitUntil("the daemons of \(pool) are \(health) on \(name)", within: .seconds(40), every: .milliseconds(500)) {
            last = try await cluster.rbdJSON("mirror", "pool", "status", pool, as: Status.self).summary.daemon_health
            return last == health
        }
    }
}

import CephSandbox
import TestSupport
import Testing

extension EndToEnd {
    /// What an operator has to put right: the status says so, nothing else is harmed, and it goes on by itself afterwards.
    @Suite struct BadStateTests {
        /// The target has an image of that name that has nothing to do with the source, before the first sync and after a rename.
        @Test func anotherImageHasTheName() async throws {
            try await withScene("clash") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(SeededRandom.forRun("clash"), size: 8 << 20)
                try await siteB.rbd("create", siteB.spec("disk"), "--size", "8M")
                try await siteB.write(workload.churned(), to: "disk")
                let foreign = try await ImageJudge(image: "disk").facts(of: siteB)
                for image in ["disk", "other"] { try await scene.createImage(image, mebibytes: 8) }
                try await siteA.write(workload.churned(), to: "disk")
                try await scene.takeMirrorSnapshot("disk")
                let daemon = try await scene.startDaemon(on: siteB)
                try await scene.waitForClash(of: "disk")
                try await scene.serves("other", &workload)
                try await siteB.expect(foreign, of: "disk")

                try await siteB.rbd("mv", siteB.spec("disk"), siteB.spec("mine"))
                try await scene.waitForSync("disk", within: .seconds(15))
                try await ImageJudge(image: "disk").compare(siteA, siteB)

                try await siteA.rbd("mv", siteA.spec("disk"), siteA.spec("mine"))
                try await scene.takeMirrorSnapshot("mine")
                try await scene.waitForClash(of: "mine")
                try await scene.serves("other", &workload)
                try await siteB.expect(foreign, of: "mine")

                try await siteB.rbd("rm", "--no-progress", siteB.spec("mine"))
                try await scene.waitForSync("mine", within: .seconds(15))
                try await ImageJudge(image: "mine").compare(siteA, siteB)
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: ["mine", "other"])
            }
        }

        /// The target's pool is over its quota.
        @Test func thePoolIsFull() async throws {
            try await withScene("full") { scene in
                let (siteA, siteB) = (scene.siteA, scene.siteB)
                var workload = SourceWorkload(SeededRandom.forRun("full"), size: 8 << 20)
                let images = ["growing", "resting"]
                for image in images { try await scene.createImage(image, mebibytes: 8) }
                let daemon = try await scene.startDaemon(on: siteB)
                for image in images { try await scene.serves(image, &workload) }
                let header = try await siteB.header(of: "resting")
                let lock = try await siteB.lock(of: header)
                try await siteB.setQuota(bytes: 1 << 20)
                try await siteB.waitUntilFull(true)

                try await siteA.write(workload.churned(), to: "growing")
                try await scene.takeMirrorSnapshot("growing")
                // From the second time on everything is opened anew on a full pool.
                try await daemon.waitForLog("replay failed", times: 3)
                try await siteA.waitForStatus("growing", "out of space on the other side") { status in
                    status.peers.first?.state == "up+error"
                        && status.peers.first?.description.hasPrefix("no space left in pool full: ") == true
                }
                guard try await siteA.status("resting").peers.first?.state == "up+replaying",
                    try await siteB.lock(of: header) == lock
                else { throw ToolFailure(tool: "the daemon", text: "the image at rest was let go of") }

                try await siteB.setQuota(bytes: 0)
                try await siteB.waitUntilFull(false)
                let freed = ContinuousClock.now
                try await scene.waitForSync("growing", within: .seconds(10))
                print("in step \(freed.duration(to: .now)) after there was room")
                try await scene.serves("resting", &workload)
                for image in images { try await ImageJudge(image: image).compare(siteA, siteB) }
                try await daemon.terminate()
                try await Leftovers(site: siteB).expectNone(images: images)
            }
        }
    }
}

extension Scene {
    /// Waits until the source's site is told that the name is taken on the other.
    fileprivate func waitForClash(of image: String) async throws {
        try await siteA.waitForStatus(image, "in a name clash") { status in
            status.peers.first?.state == "up+error"
                && status.peers.first?.description == "another local image has the name \(image): rename or remove one of the two"
        }
    }

    /// Writes to an image and expects that soon on the other side.
    fileprivate func serves(_ image: String, _ workload: inout SourceWorkload) async throws {
        try await siteA.write(workload.churned(), to: image)
        try await takeMirrorSnapshot(image)
        try await waitForSync(image, within: .seconds(15))
    }
}

extension Site {
    /// Expects an image to be as it was.
    fileprivate func expect(_ facts: [String: String], of image: String) async throws {
        let now = try await ImageJudge(image: image).facts(of: self)
        guard now == facts else { throw ToolFailure(tool: "rbd export \(spec(image))", text: "it changed: \(now)") }
    }

    /// The object that has an image's exclusive lock.
    fileprivate func header(of image: String) async throws -> String {
        struct Info: Decodable { var id: String }
        return "rbd_header.\(try await cluster.rbdJSON("info", spec(image), as: Info.self).id)"
    }

    /// The lock of a header, with its owner. The stock `rbd` would wait for room in a full pool.
    fileprivate func lock(of header: String) async throws -> String {
        try await cluster.run("rados", ["-p", pool, "lock", "info", header, "rbd_lock"])
    }

    fileprivate func setQuota(bytes: Int) async throws {
        try await cluster.ceph("osd", "pool", "set-quota", pool, "max_bytes", "\(bytes)")
    }

    /// Waits until the monitor has seen that the pool is over its quota, or no longer is.
    fileprivate func waitUntilFull(_ isFull: Bool) async throws {
        struct Pool: Decodable {
            var pool_name: String
            var flags_names: String
        }
        try await waitUntil("pool \(pool) is \(isFull ? "full" : "no longer full")", within: .seconds(40), every: .milliseconds(200)) {
            let pools = try await cluster.cephJSON("osd", "pool", "ls", "detail", as: [Pool].self)
            return pools.contains { $0.pool_name == pool && $0.flags_names.contains("full") == isFull }
        }
    }
}

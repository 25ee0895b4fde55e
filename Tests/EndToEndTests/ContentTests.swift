import CephSandbox
import Testing

extension EndToEnd {
    @Suite struct ContentTests {
        @Test func anImageArrives() async throws {
            try await withScene("arrives") { scene in
                try await scene.createImage("disk", mebibytes: 64)
                var stream = DiffStream()
                stream.write(Array(repeating: 7, count: 1 << 20), at: 5 << 20)
                try await scene.siteA.write(stream, to: "disk")
                try await scene.takeMirrorSnapshot("disk")
                let daemon = try await scene.startDaemon(on: scene.siteB)
                try await scene.waitForSync("disk")
                try await ImageJudge(image: "disk", comparesDiffs: true).compare(scene.siteA, scene.siteB)
                try await daemon.terminate()
            }
        }
    }
}

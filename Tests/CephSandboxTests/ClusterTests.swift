import CephSandbox
import Testing

@Suite struct ClusterTests {
    @Test func servesImages() async throws {
        try await withSandboxCluster("site-a") { cluster in
            try await cluster.createPool("vms")
            try await cluster.rbd("create", "vms/disk", "--size", "1G")
            #expect(try await cluster.rbd("ls", "vms") == "disk\n")
        }
    }
}

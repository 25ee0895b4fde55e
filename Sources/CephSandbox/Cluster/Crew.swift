internal import Foundation
internal import SystemPackage

/// The daemons of a cluster, not yet started.
struct Crew: Sendable {
    let monitor: SandboxDaemon
    let manager: SandboxDaemon?
    let osds: [SandboxDaemon]
    let mds: SandboxDaemon?

    /// The programs needed to boot and use a cluster.
    static func programs(_ configuration: SandboxConfiguration) -> [String] {
        ["ceph-mon", "ceph-osd", "ceph", "rbd", "rados", "ceph-authtool", "monmaptool"]
            + (configuration.manager ? ["ceph-mgr"] : []) + (configuration.fileSystem == nil ? [] : ["ceph-mds"])
    }

    init(
        _ configuration: SandboxConfiguration, of cluster: String, configurationFile: FilePath, folder: String
    ) throws(SandboxError) {
        func daemon(
            _ kind: String, _ id: String, outlivesKill: Bool = true, _ isReady: @escaping @Sendable (SandboxDaemon) async throws -> Bool
        ) throws(SandboxError) -> SandboxDaemon {
            let command = try configuration.binaries.command("ceph-\(kind)", ["-c", configurationFile.string, "-i", id, "-f"])
            return SandboxDaemon(
                name: "\(kind).\(id)", logFile: FilePath("\(folder)/\(kind).\(id).log"),
                plan: SandboxDaemon.Plan(
                    executable: command.executable, arguments: command.arguments, readyWithin: configuration.bootTimeout,
                    outlivesKill: outlivesKill, isReady: isReady, adminSocket: { _ in FilePath("\(folder)/\(kind).\(id).asok") }))
        }
        monitor = try daemon("mon", "a") { await Crew.state(of: $0, "mon_status") == "leader" }
        osds = try (0..<configuration.osds).map { number throws(SandboxError) in
            try daemon("osd", "\(number)", outlivesKill: configuration.objectStore.name != "memstore") {
                await Crew.state(of: $0, "status") == "active"
            }
        }
        mds = try configuration.fileSystem.map { _ throws(SandboxError) in
            try daemon("mds", "a") { await Crew.state(of: $0, "status") == "up:active" }
        }
        guard configuration.manager else {
            manager = nil
            return
        }
        let monitor = MonitorAdmin(cluster: cluster, configurationFile: configurationFile, timeout: configuration.commandTimeout)
        let probe = ManagerProbe(monitor)
        manager = try daemon("mgr", "x") { _ in await probe.isReady() }
    }

    /// The field `state` of what a daemon answers; `nil` while it does not answer.
    private static func state(of daemon: SandboxDaemon, _ command: String) async -> String? {
        struct Status: Decodable { var state: String? }
        guard let reply = try? await daemon.adminSocket?.ask(command) else { return nil }
        return try? JSONDecoder().decode(Status.self, from: Data(reply.utf8)).state
    }
}

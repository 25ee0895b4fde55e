// Starts a cluster with a published name, says so, and waits to be killed. The leak tests kill it.
import CephSandbox
import Glibc

let cluster = try await SandboxCluster.start("holder", SandboxConfiguration(manager: false))
let name = try cluster.publishedName()
let tool = try SandboxProcess.start("sleep", ["1000"], log: cluster.folder.appending("sleep.log"))
let processes = cluster.daemons.compactMap(\.processID) + [tool.processID]
print("holds \(cluster.folder) /etc/ceph/\(name).conf \(processes.map(String.init).joined(separator: ","))")
fflush(nil)
if CommandLine.arguments.contains("end") { exit(0) }
while true { try await Task.sleep(for: .seconds(1000)) }

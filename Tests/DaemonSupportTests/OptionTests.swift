import Foundation
import Logging
import Testing

@testable import DaemonSupport

private func parse(_ arguments: [String], _ environment: [String: String] = [:], readable: Set<String> = []) throws
    -> DaemonOptions
{
    try DaemonOptions(arguments: ["rbd-mirror"] + arguments, environment: environment) { readable.contains($0) }
}

@Suite struct OptionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let overrides: [String]
        var testDescription: String { arguments.joined(separator: " ") }
        init(_ arguments: String, _ overrides: String...) {
            self.arguments = arguments.split(separator: " ").map(String.init)
            self.overrides = overrides
        }
    }

    @Test(arguments: [
        Case("--log-file /x", "log_file=/x"), Case("--log-file=/x", "log_file=/x"), Case("--log_file /x", "log_file=/x"),
        Case("--debug-rbd_mirror 7/9", "debug_rbd_mirror=7/9"),
        Case("--rbd-cache", "rbd_cache=true"), Case("--no-rbd-cache", "rbd_cache=false"),
        Case("--rbd-cache false", "rbd_cache=false"), Case("--rbd-cache --rbd-cache=", "rbd_cache=true", "rbd_cache="),
        Case("--rbd-cache -f", "rbd_cache=true", "daemonize=false"),
        Case("--nice -5 --x 1", "nice=-5", "x=1"), Case("--mon-host=a=b", "mon_host=a=b"),
        Case("-m 1.2.3.4 -k /k", "mon_host=1.2.3.4", "keyring=/k"), Case("--keyring=/k", "keyring=/k"),
        Case("--keyring --odd", "keyring=--odd"),
        Case("-f", "daemonize=false"), Case("--foreground", "daemonize=false"),
        Case("-d", "daemonize=false", "log_file=", "log_to_stderr=true", "err_to_stderr=true"),
        Case("--setuser ceph --setgroup=ceph --pid-file /p --admin-socket /a --fsid f",
            "setuser=ceph", "setgroup=ceph", "pid_file=/p", "admin_socket=/a", "fsid=f"),
        Case("--log-to-stderr", "log_to_stderr=true"), Case("-f --", "daemonize=false"),
    ])
    func configuration(_ test: Case) throws {
        #expect(try parse(test.arguments).overrides.map { "\($0.name)=\($0.value)" } == test.overrides)
    }

    @Test(arguments: [
        ("--id foo", "client.foo"), ("-i foo", "client.foo"), ("--user foo", "client.foo"), ("--id=foo", "client.foo"),
        ("-n client.a.b", "client.a.b"), ("--name=mds.x", "mds.x"), ("-n mds.x --id b", "mds.b"),
        ("--id b -n client.a", "client.a"), ("-n client.", "client."), ("--id --foo", "client.--foo"), ("-f", "client.admin"),
    ])
    func names(_ arguments: String, _ name: String) throws {
        let options = try parse(arguments.split(separator: " ").map(String.init))
        #expect(options.name == name)
        #expect(name.hasSuffix("." + options.id))
    }

    @Test(arguments: [
        ("--bogus=", nil), ("bogus", "unexpected argument 'bogus'"), ("-f -- x", "unexpected argument 'x'"),
        ("-x", "unknown option '-x'"), ("-ifoo", "unknown option '-ifoo'"), ("--=x", "unknown option '--=x'"),
        ("---", "unknown option '---'"), ("-", "unknown option '-'"),
        ("--id", "Option --id requires an argument."), ("-c", "Option -c requires an argument."),
        ("--conf", "Option --conf requires an argument."), ("-m", "Option -m requires an argument."),
        ("--help=1", "Option --help takes no value."),
        ("-n bar", "error parsing 'bar': expected string of the form TYPE.ID, valid types are: auth, mon, osd, mds, mgr, client"),
        ("--name=rgw.x", "error parsing 'rgw.x': expected string of the form TYPE.ID, valid types are: auth, mon, osd, mds, mgr, client"),
    ])
    func errors(_ arguments: String, _ message: String?) throws {
        let words = arguments.split(separator: " ").map(String.init)
        guard let message else { return _ = try parse(words) }
        let error = #expect(throws: OptionError.self) { try parse(words) }
        #expect(error?.description == message)
    }

    @Test func noArgumentsAtAll() {
        #expect(throws: OptionError.self) { try parse([]) }
        #expect(throws: OptionError.self) { try parse([], ["CEPH_ARGS": "-f"]) }
        #expect(throws: OptionError.self) { try DaemonOptions(arguments: [], environment: [:]) }
        #expect(throws: OptionError.self) { try parse([""]) }
    }

    @Test func environmentGivesWay() throws {
        let environment = ["CEPH_ARGS": "--id env --cluster e  --rbd-cache=false", "CEPH_KEYRING": "/env", "CEPH_CONF": "/c"]
        let quiet = try parse(["-f"], environment)
        #expect(quiet.name == "client.env" && quiet.cluster == "e" && quiet.configurationFile == "/c")
        #expect(quiet.override("rbd_cache") == "false" && quiet.override("keyring") == "/env")
        let loud = try parse(["--id", "a", "--cluster", "b", "--rbd-cache=true", "-k", "/k", "-c", "/d"], environment)
        #expect(loud.name == "client.a" && loud.cluster == "b" && loud.configurationFile == "/d")
        #expect(loud.override("rbd_cache") == "true" && loud.override("keyring") == "/k")
        #expect(throws: OptionError.self) { try parse(["-f"], ["CEPH_ARGS": "stray"]) }
    }

    @Test(arguments: [
        (["-c", "/etc/ceph/dmb.conf"], "dmb"), (["-c", "/tmp/x/ceph.conf"], "ceph"), (["-c", "foo.conf"], "foo"),
        (["--conf=/etc/ceph/dmb.conf", "--cluster", "other"], "other"), (["-c", "/nonex.conf,/etc/ceph/dmb.conf"], "dmb"),
        (["-c", "/x/foo.cnf"], "ceph"), (["-c", "/nonex.conf"], "ceph"), (["-f"], "ceph"), (["--cluster=x", "-f"], "x"),
        (["-c", "/x/.conf"], "ceph"),
    ])
    func clusterName(_ arguments: [String], _ cluster: String) throws {
        let readable: Set = ["/etc/ceph/dmb.conf", "/tmp/x/ceph.conf", "foo.conf", "/x/foo.cnf", "/x/.conf"]
        #expect(try parse(arguments, readable: readable).cluster == cluster)
    }

    @Test func environmentsFileDoesNotNameTheCluster() throws {
        #expect(try parse(["-f"], ["CEPH_CONF": "/etc/ceph/dma.conf"], readable: ["/etc/ceph/dma.conf"]).cluster == "ceph")
    }

    @Test func requests() throws {
        #expect(try parse(["-f"]).request == .run)
        #expect(try parse(["-v", "--help"]).request == .help)
        #expect(try parse(["--help", "--version"]).request == .help)
        #expect(try parse(["--version", "--bogus"]).request == .version)
        #expect(try parse(["--show-config-value", "fsid"]).request.shownOption == "fsid")
        #expect(try parse(["--show_config_value=fsid"]).request.shownOption == "fsid")
        #expect(try parse(["--log-json"]).logsJSON)
        #expect(try parse(["--log_json", "-f"]).overrides.count == 1)
    }

    @Test func foreground() throws {
        #expect(try parse(["-f"]).isForeground)
        #expect(try parse(["-d"]).isForeground)
        #expect(try parse(["--daemonize=false"]).isForeground)
        #expect(try !parse(["--id", "x"]).isForeground)
        #expect(try !parse(["-f", "--daemonize"]).isForeground)
    }

    @Test func usageNamesEveryOptionTheParserTreatsItself() {
        let text = DaemonOptions.usage(of: "rbd-mirror")
        for option in ["--cluster", "--conf", "--name", "--id", "--keyring", "--mon-host", "-f", "-d", "--log-json",
            "--show-config-value", "--version", "--help", "--setuser", "--pid-file", "--admin-socket", "CEPH_ARGS"] {
            #expect(text.contains(option))
        }
    }
}

@Suite struct SettingsTests {
    private func settings(_ arguments: [String], _ values: [String: String] = [:]) throws -> DaemonSettings {
        let options = try parse(["--id", "m", "--cluster", "c"] + arguments)
        return DaemonSettings(options, subsystem: "rbd_mirror") { options.override($0) ?? values[$0] ?? "" }
    }

    @Test func usualPlaces() throws {
        let settings = try settings([], ["run_dir": "/run/x"])
        #expect(settings.logFile == "/var/log/ceph/c-client.m.log")
        #expect(settings.adminSocket?.hasPrefix("/run/x/c-client.m.\(getpid()).") == true)
        #expect(settings.adminSocket?.hasSuffix(".asok") == true)
        #expect(settings.pidFile == nil && settings.user == nil && settings.group == nil)
        #expect(settings.reportsErrorsToStandardError && !settings.logsToStandardError && !settings.logsJSON)
        #expect(settings.adminSocketMode == 0o600)
    }

    /// The clients' configuration need not know whom the daemon runs as.
    @Test func theAccountIsTakenFromTheCommandLine() throws {
        let options = try DaemonOptions(arguments: ["rbd-mirror", "--setuser", "ceph", "--setgroup=g"], environment: [:])
        let settings = DaemonSettings(options, subsystem: "rbd_mirror") { _ in "" }
        #expect(settings.user == "ceph" && settings.group == "g")
    }

    @Test func whatIsConfiguredWins() throws {
        let settings = try settings(["--setuser", "ceph", "--log-json"], [
            "log_file": "/l", "admin_socket": "/a", "pid_file": "/p", "setgroup": "g", "admin_socket_mode": "0770",
            "log_to_stderr": "true", "debug_rbd_mirror": "20/5",
        ])
        #expect(settings.logFile == "/l" && settings.adminSocket == "/a" && settings.pidFile == "/p")
        #expect(settings.user == "ceph" && settings.group == "g" && settings.adminSocketMode == 0o770)
        #expect(settings.logsToStandardError && settings.logsJSON && settings.logLevel == .trace)
    }

    @Test func explicitlyNone() throws {
        #expect(try settings(["-d"]).logFile == nil)
        #expect(try settings(["-d"]).logsToStandardError)
        #expect(try settings(["--log-file="]).logFile == nil)
        #expect(try settings(["--log-to-file=false"], ["log_file": "/l"]).logFile == nil)
        #expect(try settings(["--admin-socket="]).adminSocket == nil)
        #expect(try settings(["--err-to-stderr=false"]).reportsErrorsToStandardError == false)
    }

    @Test(arguments: [
        ("", Logger.Level.notice), ("0/5", .notice), ("1", .notice), ("-1/-1", .notice), ("2", .info), ("5/5", .info),
        ("6", .debug), ("10/20", .debug), ("19", .debug), ("20", .trace), ("30/30", .trace), ("junk", .notice),
    ])
    func levels(_ debug: String, _ level: Logger.Level) {
        #expect(Logger.Level(debugLevel: debug) == level)
    }
}

extension DaemonOptions {
    /// The text of `--help`.
    ///
    /// - Parameter own: Lines about options that only this program has.
    public static func usage(of program: String, own: String = "") -> String {
        """
        usage: \(program) [options...]

          --cluster NAME        local cluster (default: ceph)
          -c, --conf FILE       configuration file (default: /etc/ceph/CLUSTER.conf, or $CEPH_CONF)
          -n, --name TYPE.ID    user to connect as (default: client.admin)
          -i, --id ID           the same, as the part behind the dot
          -k, --keyring FILE    where the user's key is
          -m, --mon-host LIST   monitors to connect to
          --fsid UUID           refuse any other cluster

          -f, --foreground      stay in the foreground, log as usual
          -d                    stay in the foreground, log to standard error
          --setuser USER        run as this user, by name or number
          --setgroup GROUP      run as this group, by name or number
          --pid-file FILE       write and lock the process id here
          --admin-socket FILE   answer `ceph --admin-daemon FILE` here
          --log-file FILE       append the log here
          --log-to-stderr       log to standard error as well
          --log-json            one JSON object a log line

        \(own)  --OPTION VALUE        any option of Ceph's configuration, also --OPTION=VALUE, --OPTION, --no-OPTION
          --show-config-value OPTION
                                print the option's value and quit
          -v, --version         print the version and quit
          -h, --help            print this and quit

        Options in the environment variable CEPH_ARGS are read first.

        """
    }
}

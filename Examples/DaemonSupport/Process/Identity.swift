internal import Glibc

/// The user and group a daemon is to run as.
struct Identity: Hashable, Sendable {
    let user: uid_t
    let group: gid_t
    /// Whose supplementary groups to take; nil takes none.
    let userName: String?

    /// Looks them up by name or number; nil where neither was asked for.
    ///
    /// A user alone brings its own group along.
    init?(user: String?, group: String?) throws(ProcessError) {
        guard user != nil || group != nil else { return nil }
        let account = try user.map { (name) throws(ProcessError) in try Self.account(name) }
        let groupID = try group.map { (name) throws(ProcessError) in try Self.groupID(name) }
        self.user = account?.user ?? getuid()
        self.group = groupID ?? account?.group ?? getgid()
        self.userName = account?.name
    }

    /// Gives up all other rights, for good; nothing where they are already as asked.
    func assume() throws(ProcessError) {
        guard user != geteuid() || group != getegid() else { return }
        let groups = userName.map { initgroups($0, group) } ?? setgroups(0, nil)
        guard groups == 0 else { throw ProcessError("giving up supplementary groups", errno: errno) }
        guard setgid(group) == 0 else { throw ProcessError("unable to setgid \(group)", errno: errno) }
        guard setuid(user) == 0 else { throw ProcessError("unable to setuid \(user)", errno: errno) }
    }

    private static func account(_ name: String) throws(ProcessError) -> (user: uid_t, group: gid_t, name: String?) {
        // The entries live in static storage: this runs before there are other threads that could ask.
        if let number = uid_t(name) {
            guard let entry = getpwuid(number) else { return (number, gid_t(number), nil) }
            return (number, entry.pointee.pw_gid, String(cString: entry.pointee.pw_name))
        }
        guard let entry = getpwnam(name) else { throw ProcessError("unable to look up user '\(name)'") }
        return (entry.pointee.pw_uid, entry.pointee.pw_gid, name)
    }

    private static func groupID(_ name: String) throws(ProcessError) -> gid_t {
        if let number = gid_t(name) { return number }
        guard let entry = getgrnam(name) else { throw ProcessError("unable to look up group '\(name)'") }
        return entry.pointee.gr_gid
    }
}

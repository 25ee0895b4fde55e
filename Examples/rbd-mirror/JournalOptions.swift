import DaemonSupport
import JournalReplay
import RBDMirroring

/// Options of this daemon that Ceph does not know, or not in every release.
enum JournalOptions {
    static let names: Set = ["journal_poll_active", "journal_poll_idle", "rbd_mirror_journal_max_fetch_bytes"]

    static let usage = """
          --journal-poll-active SECONDS
                                how often to look for entries of a journal that was written to in the last minute (default: 0.1)
          --journal-poll-idle SECONDS
                                how often to look for entries of another one (default: 1.5)
          --rbd-mirror-journal-max-fetch-bytes BYTES
                                how much of a journal to read ahead (default: 4 MiB), also where Ceph does not know the option


        """

    /// - Throws: ``StartError`` for what is no number.
    static func following(_ options: DaemonOptions) throws -> JournalFollowing {
        var following = JournalFollowing()
        for option in options.overrides where names.contains(option.name) {
            guard let number = Double(option.value), number > 0, number < 1e9 else {
                throw StartError(option: option.name, value: option.value)
            }
            switch option.name {
            case "journal_poll_active": following.polling.active = .milliseconds(Int(number * 1000))
            case "journal_poll_idle": following.polling.idle = .milliseconds(Int(number * 1000))
            default: following.readAhead = Int(number)
            }
        }
        return following
    }
}

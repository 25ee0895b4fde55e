internal import Glibc

/// What a child process gets.
struct Spawn {
    /// Absolute path.
    var executable: String
    var arguments: [String]
    var environment: [String: String]
    var input: Int32
    var output: Int32
    var error: Int32
    /// A session of its own, out of reach of the terminal; otherwise only a process group.
    var ownSession = false

    /// Starts the process. It inherits the three descriptors and no other, and no blocked or ignored signals.
    func start() throws(SandboxError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }

        for (source, target) in [(input, 0), (output, 1), (error, 2)] as [(Int32, Int32)] {
            posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        for number in openDescriptors() where number > 2 {
            posix_spawn_file_actions_addclose(&actions, number)
        }
        setAttributes(&attributes)

        var pid: pid_t = 0
        let code = withCStrings([executable] + arguments) { argv in
            withCStrings(environment.map { "\($0)=\($1)" }) { envp in
                posix_spawn(&pid, executable, &actions, &attributes, argv, envp)
            }
        }
        guard code == 0 else { throw .systemCall("posix_spawn", executable, code: code) }
        return pid
    }

    private func setAttributes(_ attributes: inout posix_spawnattr_t) {
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        // POSIX_SPAWN_SETSID, which glibc shows to GNU programs only.
        let place: Int32 = ownSession ? 0x80 : Int32(POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setflags(&attributes, Int16(place | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)))
    }
}

/// The open descriptors of this process. One that another thread opens meanwhile is missed.
private func openDescriptors() -> [Int32] {
    guard let folder = opendir("/proc/self/fd") else { return [] }
    defer { closedir(folder) }
    var numbers: [Int32] = []
    while let entry = readdir(folder) {
        if let number = Int32(name(of: entry)) { numbers.append(number) }
    }
    return numbers
}

/// Lends a null-terminated array of C strings.
private func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
}

import Foundation
import Glibc

extension SpawnedProcess {
    /// The descriptors a child gets as 0, 1 and 2. They stay open in this process.
    struct Streams: Sendable {
        var input: Int32
        var output: Int32
        var errors: Int32
    }

    /// Starts a program with nothing inherited but three descriptors, the environment and the working folder.
    ///
    /// - Throws: `TestSupportError` when the program is missing or the kernel refuses.
    static func spawn(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String]? = nil,
        directory: String? = nil,
        streams: Streams
    ) throws -> SpawnedProcess {
        let path = try Executable.required(executable)
        var command = [path] + arguments
        if let setpriv = Executable.path(of: "setpriv") {
            // setpriv replaces itself by the program: the process id is the program's.
            command = [setpriv, "--pdeathsig", "KILL", "--"] + command
        }
        let environment = environment ?? ProcessInfo.processInfo.environment
        let words = environment.map { "\($0.key)=\($0.value)" }
        return try SpawnThread.shared.run { [command] in
            try spawnHere(command, words, directory: directory, streams: streams)
        }
    }

    private static func spawnHere(
        _ command: [String],
        _ environment: [String],
        directory: String?,
        streams: Streams
    ) throws -> SpawnedProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, streams.input, 0)
        posix_spawn_file_actions_adddup2(&actions, streams.output, 1)
        posix_spawn_file_actions_adddup2(&actions, streams.errors, 2)
        _ = GNUSpawnActions.closeFrom?(&actions, 3)
        if let directory { _ = GNUSpawnActions.changeDirectory?(&actions, directory) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that this process ignores or blocks would stay so in the child: a test process that ignores
        // SIGPIPE would test a daemon that nobody runs like that. Its own group keeps a terminal's ^C away.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var processID: pid_t = 0
        let failure = posix_spawn(&processID, command[0], &actions, &attributes, &words, &variables)
        guard failure == 0 else { throw TestSupportError.system("start \(command[0])", failure) }
        return SpawnedProcess(processID: processID)
    }
}

/// Two file actions of glibc (2.29 and 2.34) that its header shows only with _GNU_SOURCE, which Swift does not set.
///
/// Without the first, a client's socket that lacks close-on-exec, like libmosquitto's, stays open in the broker the
/// test starts next, and the client's close is never seen.
private enum GNUSpawnActions {
    typealias Actions = UnsafeMutablePointer<posix_spawn_file_actions_t>

    static let closeFrom = function(
        "posix_spawn_file_actions_addclosefrom_np",
        as: (@convention(c) (Actions, Int32) -> Int32).self
    )
    static let changeDirectory = function(
        "posix_spawn_file_actions_addchdir_np",
        as: (@convention(c) (Actions, UnsafePointer<CChar>) -> Int32).self
    )

    private static func function<F>(_ name: String, as type: F.Type) -> F? {
        // SAFETY: the two types above are those of the declarations in glibc's spawn.h.
        dlsym(nil, name).map { unsafeBitCast($0, to: type) }
    }
}

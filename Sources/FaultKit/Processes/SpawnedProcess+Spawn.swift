internal import Programs
internal import Foundation
internal import Glibc

extension SpawnedProcess {
    /// The descriptors that a child gets as 0, 1 and 2. They stay open in this process.
    package struct Streams: Sendable {
        let input: Int32
        let output: Int32
        let errors: Int32

        /// Creates streams; descriptors may be equal.
        package init(input: Int32, output: Int32, errors: Int32) {
            (self.input, self.output, self.errors) = (input, output, errors)
        }
    }

    /// Starts a program that inherits three descriptors and the working folder.
    ///
    /// - Parameters:
    ///   - executable: A name to look up, or a path.
    ///   - environment: The complete environment; nil for the environment of this process.
    /// - Throws: ``Unavailable`` if the program is missing, ``FaultKitError`` if the kernel refuses.
    package static func spawn(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String]? = nil,
        streams: Streams
    ) throws -> SpawnedProcess {
        let path = try Program.required(executable)
        var command = [path] + arguments
        if let setpriv = Program.path(of: "setpriv") {
            // setpriv replaces itself with the program: the process id is the program's.
            command = [setpriv, "--pdeathsig", "KILL", "--"] + command
        }
        let environment = environment ?? ProcessInfo.processInfo.environment
        let words = environment.map { "\($0.key)=\($0.value)" }
        return try SpawnThread.shared.run { [command] in
            try spawnHere(command, words, streams: streams)
        }
    }

    private static func spawnHere(
        _ command: [String],
        _ environment: [String],
        streams: Streams
    ) throws -> SpawnedProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, streams.input, 0)
        posix_spawn_file_actions_adddup2(&actions, streams.output, 1)
        posix_spawn_file_actions_adddup2(&actions, streams.errors, 2)
        _ = closeFrom?(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A child inherits ignored and blocked signals. If this process ignores SIGPIPE, a daemon under test would run in a
        // way that it never does in production. Its own process group keeps a terminal's ^C away from the child.
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
        guard failure == 0 else { throw FaultKitError.system("start \(command[0])", failure) }
        return SpawnedProcess(processID: processID)
    }

    /// A glibc (2.34) function that its header declares only with _GNU_SOURCE, which Swift does not set.
    ///
    /// Without it, the next broker inherits client sockets that lack close-on-exec, like libmosquitto's, and the peer never
    /// sees the client close them.
    private static let closeFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
        // SAFETY: the type is that of the declaration in glibc's spawn.h.
        unsafeBitCast(
            $0,
            to: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32).self
        )
    }
}

internal import Foundation
internal import Glibc

extension Child {
    /// Starts a program with three descriptors, which stay open here, and nothing else inherited.
    ///
    /// - Parameter environment: Variables that are set beside those of this process.
    static func spawn(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: Int32,
        output: Int32,
        errors: Int32
    ) throws -> Child {
        var command = [executable] + arguments
        if let setpriv = Executable.find("setpriv") {
            // It replaces itself by the program, so that the process id is the program's.
            command = [setpriv, "--pdeathsig", "KILL", "--"] + command
        }
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        _ = closeFrom?(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that this process ignores or blocks would stay so in the child; and a group of its own keeps a
        // terminal's ^C away from it.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
        )

        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var settings: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { (words + settings).forEach { free($0) } }
        var processID: pid_t = 0
        let code = posix_spawn(&processID, command[0], &actions, &attributes, &words, &settings)
        guard code == 0 else { throw Failure.system("start \(executable)", code) }
        return Child(processID: processID)
    }

    /// Runs a program to its end and returns what it printed on both streams, at most 1 MiB.
    static func run(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        within limit: Duration = .seconds(20)
    ) throws -> (ending: Ending, output: String, errors: String) {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { throw Failure.system("open /dev/null") }
        defer { close(null) }
        let (output, errors) = (try Pipe(), try Pipe())
        let child = try spawn(
            executable,
            arguments,
            environment: environment,
            input: null,
            output: output.write,
            errors: errors.write
        )
        output.closeWrite()
        errors.closeWrite()
        let said = OutputReader(output, keep: 1 << 20)
        let complained = OutputReader(errors, keep: 1 << 16)
        let ending = child.wait(within: limit)
        if ending == nil { child.kill() }
        said.join(within: .seconds(2))
        complained.join(within: .seconds(2))
        guard let ending else { throw Failure("\(executable) \(arguments.first ?? "") did not end within \(limit)") }
        return (ending, said.text, complained.text)
    }

    /// An action of glibc (2.34) that its header shows only with _GNU_SOURCE, which Swift does not set. Without it a
    /// broker that is started later inherits connections of this process, and their close is never seen.
    private static let closeFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
        // SAFETY: the type is that of the declaration in glibc's spawn.h.
        unsafeBitCast(
            $0,
            to: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32).self
        )
    }
}

/// Where programs are.
enum Executable {
    /// Debian keeps mosquitto where ordinary users do not look.
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]
        return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    static func required(_ name: String) throws -> String {
        guard let path = find(name) else { throw Unavailable(reason: "\(name) is not installed") }
        return path
    }
}

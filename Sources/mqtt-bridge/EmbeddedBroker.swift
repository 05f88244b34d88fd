import ArgumentParser
import Foundation
import Glibc
import Mosquitto
import Subprocess
import SystemPackage

/// A broker of our own, for those who have none.
struct EmbeddedBrokerOptions: ParsableArguments {
    @Flag(help: "Start a private mosquitto on 127.0.0.1, at port 1883 if that is free.")
    var embeddedBroker = false

    @Option(help: "Keep the data of the embedded broker in this folder. Without it, the data are gone in the end.")
    var brokerData: String?

    @Option(help: "Which broker of the configuration the embedded one stands for, if there are several.")
    var embedAs: String?

    func validate() throws {
        guard embeddedBroker || (brokerData == nil && embedAs == nil) else {
            throw ValidationError("--broker-data and --embed-as go with --embedded-broker")
        }
    }

    /// Runs `body` with the address of an embedded broker in the setup, if one is wanted; the broker ends with it.
    func around(_ setup: Setup, _ body: @escaping @Sendable (Setup) async throws -> Void) async throws {
        guard embeddedBroker else { return try await body(setup) }
        // Says what is wrong with `--embed-as` before anything is started.
        var probe = setup
        try probe.replaceURL([BrokerURL("mqtt://127.0.0.1")], of: embedAs)
        let name = embedAs
        try await EmbeddedBroker(folder: brokerData).run { port in
            var setup = setup
            try setup.replaceURL([BrokerURL("mqtt://127.0.0.1:\(port)")], of: name)
            try await body(setup)
        }
    }
}

/// Runs mosquitto as a child, and ends it.
struct EmbeddedBroker {
    private let executable: String
    private let folder: String
    private let isTemporary: Bool

    /// Finds mosquitto and makes the folder.
    init(folder: String?) throws {
        guard let executable = Self.findExecutable() else {
            throw ClientError(
                .unreachable,
                operation: "start an embedded broker",
                detail: "mosquitto is not installed",
                advice: "Install it (apt install mosquitto), or name a broker with --broker URL"
            )
        }
        self.executable = executable
        isTemporary = folder == nil
        self.folder = try Self.makeFolder(folder)
    }

    /// Runs `body` while a broker listens on the port that it gets: 1883, or another where that is taken.
    func run(_ body: @escaping @Sendable (UInt16) async throws -> Void) async throws {
        defer { if isTemporary { try? FileManager.default.removeItem(atPath: folder) } }
        // A port that was free a moment ago may be taken by the time mosquitto asks for it: then another one will do.
        for wanted in [1883, 0, 0, 0] as [UInt16] {
            guard let port = LoopbackPort.free(wanted) else { continue }
            if try await run(on: port, body) { return }
        }
        throw ClientError(.unreachable, operation: "start an embedded broker", detail: "no port is free on 127.0.0.1")
    }

    /// Returns false if the broker could not listen.
    private func run(on port: UInt16, _ body: @escaping @Sendable (UInt16) async throws -> Void) async throws -> Bool {
        let configuration = "\(folder)/mosquitto.conf"
        try Data(configurationText(port).utf8).write(to: URL(fileURLWithPath: configuration))
        let outcome = try await Subprocess.run(
            .path("/bin/sh"),
            arguments: ["-c", Self.guardian, "mqtt-bridge-broker", executable, configuration],
            platformOptions: Self.ownProcessGroup,
            input: .inputWriter,
            output: .discarded,
            error: .sequence
        ) { execution in
            let (starts, started) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingOldest(1))
            async let log: Void = Self.follow(execution.standardError.strings(), started)
            guard await starts.first(where: { true }) != nil else {
                try await log
                return false
            }
            StandardError.write("mqtt-bridge: embedded broker at mqtt://127.0.0.1:\(port)")
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(port))
            } catch {
                result = .failure(error)
            }
            // SIGTERM first, so that mosquitto saves its data; SIGKILL 2 s later.
            await execution.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))])
            try await log
            try result.get()
            return true
        }
        return outcome.closureResult
    }

    /// Runs the broker, and ends it when standard input ends: that happens also when this process is killed.
    private static let guardian = """
        exec 3<&0
        "$1" -c "$2" &
        broker=$!
        trap 'kill "$broker" 2>/dev/null' TERM
        { cat <&3 >/dev/null; kill "$broker"; } 2>/dev/null &
        wait "$broker"
        wait "$broker"
        """

    /// Control-C in a terminal reaches all of the foreground's processes: the broker is to end after the bridge.
    private static var ownProcessGroup: PlatformOptions {
        var options = PlatformOptions()
        options.processGroupID = 0
        return options
    }

    /// Passes on what the broker complains about, and notices when it listens. Ends with the broker.
    private static func follow(
        _ lines: some AsyncSequence<String, any Error>,
        _ started: AsyncStream<Void>.Continuation
    ) async throws {
        defer { started.finish() }
        for try await line in lines {
            if line.contains(" running") { started.yield() }
            if line.contains("Error: "), !line.contains("Address already in use") {
                StandardError.write("mosquitto: \(escapedForLog(line))")
            }
        }
    }

    private func configurationText(_ port: UInt16) -> String {
        """
        # Written by mqtt-bridge for its embedded broker; written anew at each start.
        listener \(port) 127.0.0.1
        allow_anonymous true
        user root
        persistence \(!isTemporary)
        persistence_location \(folder)/
        autosave_interval 60
        log_dest stderr
        log_type error
        log_type information

        """
    }

    private static func findExecutable() -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        // Debian keeps it where ordinary users do not look.
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"]
        return folders.map { "\($0)/mosquitto" }.first { access($0, X_OK) == 0 }
    }

    private static func makeFolder(_ folder: String?) throws -> String {
        guard let folder else {
            var template = Array((NSTemporaryDirectory() + "mqtt-bridge-XXXXXX").utf8CString)
            guard mkdtemp(&template) != nil else {
                throw ClientError(
                    .library,
                    operation: "make a temporary folder",
                    detail: String(cString: strerror(errno))
                )
            }
            return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let absolute = URL(fileURLWithPath: folder).path
        try FileManager.default.createDirectory(
            atPath: absolute,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        return absolute
    }
}

/// Ports of 127.0.0.1.
enum LoopbackPort {
    /// The wanted port if nobody listens there; any free one for 0.
    static func free(_ wanted: UInt16) -> UInt16? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // As mosquitto does: connections of a broker that has just ended do not count.
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = wanted.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                guard bind(descriptor, general, length) == 0, listen(descriptor, 1) == 0,
                    getsockname(descriptor, general, &length) == 0
                else { return nil }
                return UInt16(bigEndian: pointer.pointee.sin_port)
            }
        }
    }
}

import Foundation
import Glibc
import TestSupport
import Testing

@testable import Mosquitto

@Suite("threads and descriptors", .serialized)
struct DescriptorTests {
    /// In a process of its own, where no other test opens anything.
    @Test("the connection is not inherited by programs that this process starts")
    func closeOnExec() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let broker = try FakeBroker { try $0.serve() }
            let before = try Self.inheritedDescriptors()
            try await withClient(to: broker.url) { _, recorder in
                try await recorder.connected()
                let socket = Self.sockets(to: broker.port).first
                guard let socket else { preconditionFailure("the connection is not in /proc/net/tcp") }
                precondition(Self.descriptors(of: "self").contains("socket:[\(socket)]"), "the connection is not ours")
                let inherited = try Self.inheritedDescriptors()
                precondition(!inherited.contains("socket:[\(socket)]"), "the connection is inherited")
                let others = inherited.filter { $0.hasPrefix("socket:") && !before.contains($0) }
                // libmosquitto's own pair, which wakes its thread where it has one (2.0.11, net__socketpair).
                print("figures: a child inherits \(others.count) sockets of a handle")
                precondition(others.count <= 2, "more than the wake-up pair is inherited")
            }
        }
        Self.printFigures(result)
    }

    /// In a process of its own, where no other test opens anything.
    @Test("100 connections leave as many threads and descriptors as before")
    func cycles() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let broker = try FakeBroker { try $0.serve() }
            try await Self.cycle(broker, count: 5)
            let before = try await Self.settled()
            try await Self.cycle(broker, count: 100)
            let after = try await Self.settled()
            print(
                "figures: threads \(before.threads) → \(after.threads), descriptors \(before.descriptors) → \(after.descriptors)"
            )
            // The runtime's own pool may grow by a thread or two.
            precondition(after.threads <= before.threads + 2, "threads leak")
            precondition(after.descriptors <= before.descriptors, "descriptors leak")
        }
        Self.printFigures(result)
    }

    /// In a process of its own, where nobody else connects.
    @Test("100 lost connections of one client leave as many threads and descriptors as before")
    func losses() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let broker = try FakeBroker { peer in
                try peer.accept()
                // An end with a reason, since many without one are taken for a fight.
                try peer.send(.disconnect(reason: 0x89))
            }
            let options = ClientOptions.quick().with { options in
                options.reconnect.backoff.shortest = .milliseconds(1)
                options.reconnect.backoff.longestLocal = .milliseconds(2)
            }
            try await withClient(to: broker.url, options: options) { _, recorder in
                try await recorder.connected(5)
                let before = Self.count()
                try await recorder.connected(105, within: .seconds(30))
                let after = Self.count()
                print(
                    "figures: threads \(before.threads) → \(after.threads), descriptors \(before.descriptors) → \(after.descriptors)"
                )
                precondition(after.threads <= before.threads + 4, "threads leak")
                precondition(after.descriptors <= before.descriptors + 8, "descriptors leak")
            }
        }
        Self.printFigures(result)
    }

    /// OpenSSL tears itself down when the process exits; a thread of ours that still used it then would crash.
    @Test("a process may exit as soon as the client has ended, in whatever state it was", .needsOpenSSL)
    func exit() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let isDone = Locked(false)
            let broker = try FakeBroker { peer in
                while !isDone.withLock({ $0 }) { _ = try peer.bytesAvailable(within: .milliseconds(5)) }
            }
            let options = ClientOptions.quick().with { options in
                options.timeouts.connect = .milliseconds(3)
                options.reconnect.backoff.shortest = .milliseconds(1)
                options.reconnect.backoff.longestLocal = .milliseconds(1)
            }
            try await withClient(to: "mqtts://localhost:\(broker.port)", options: options) { _, recorder in
                try await recorder.wait(for: "some attempts") { $0.retries.count >= 5 }
            }
            Glibc.exit(7)
        }
    }

    // MARK: Counting

    private static func cycle(_ broker: FakeBroker, count: Int) async throws {
        for _ in 0..<count {
            try await withClient(to: broker.url) { client, recorder in
                try await recorder.connected()
                _ = try await client.publish(Message(topic: "a", qos: .atLeastOnce))
            }
        }
    }

    /// Repeats what the other process found.
    private static func printFigures(_ result: ExitTest.Result?) {
        let text = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("figures: ") { print(line) }
    }

    private static func count() -> (threads: Int, descriptors: Int) {
        let list = { (path: String) in (try? FileManager.default.contentsOfDirectory(atPath: path))?.count ?? 0 }
        return (list("/proc/self/task"), list("/proc/self/fd"))
    }

    /// The counts, once threads that are ending have ended.
    private static func settled() async throws -> (threads: Int, descriptors: Int) {
        var last = count()
        var quiet = 0
        _ = try await eventually {
            let now = count()
            quiet = now == last ? quiet + 1 : 0
            last = now
            return quiet >= 20
        }
        return last
    }

    /// What the descriptors of a process stand for.
    private static func descriptors(of process: String) -> [String] {
        let folder = "/proc/\(process)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
    }

    /// What a child of a program that takes no care gets: `popen` closes nothing.
    private static func inheritedDescriptors() throws -> [String] {
        guard let stream = popen("ls -l /proc/self/fd", "r") else { throw FaultKitError("popen failed") }
        defer { pclose(stream) }
        var text = ""
        var line = [CChar](repeating: 0, count: 1_024)
        while fgets(&line, Int32(line.count), stream) != nil {
            text += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return text.split(separator: "\n").compactMap { $0.components(separatedBy: " -> ").last }
    }

    /// The inodes of this machine's TCP sockets that are connected to a port.
    private static func sockets(to port: Int) -> [String] {
        let bytes = (try? Files.read("/proc/net/tcp", limit: 10_000_000)) ?? []
        let table = String(decoding: bytes, as: UTF8.self)
        let ending = ":" + String(format: "%04X", port)
        return table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            // Remote address, state "established", inode.
            guard fields.count > 9, fields[2].hasSuffix(ending), fields[3] == "01" else { return nil }
            return String(fields[9])
        }
    }
}

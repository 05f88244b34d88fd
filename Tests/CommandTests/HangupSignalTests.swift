import Foundation
import TestSupport
import Testing

@Suite("signals")
struct HangupSignalTests {
    @Test("SIGHUP is answered in the log and does not end the daemon")
    func hangup() async throws {
        let broker = try MosquittoBroker.start()
        let daemon = try await Command.daemon("--broker", broker.url)
        for _ in 0..<2 {
            let before = daemon.lines.count
            daemon.signal(SIGHUP)
            try await daemon.waitForLine(containing: "no reload yet", in: .errors, after: before)
        }
        try await Command.publish("a/b", "1", port: broker.port)
        try await daemon.waitForLine(containing: "a.b 1", in: .output)
        daemon.signal(SIGTERM)
        #expect(try await daemon.wait() == .exited(0))
    }

    @Test("a daemon has a limit of zero for core files")
    func core() async throws {
        let broker = try MosquittoBroker.start()
        let daemon = try await Command.daemon("--broker", broker.url)
        let limits = try String(contentsOfFile: "/proc/\(daemon.processID)/limits", encoding: .utf8)
        let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(line.split(separator: " ").filter { $0 == "0" }.count == 2, "\(line)")
        daemon.signal(SIGTERM)
        #expect(try await daemon.wait() == .exited(0))
    }
}

import Foundation
import TestSupport
import Testing

@Suite("mqtt-bridge run at a broker that hangs up")
struct HangUpCommandTests {
    @Test(
        "forbidden and oversize emits do not end the daemon, with and without a store, also after a restart",
        arguments: ["5", "3.1.1"],
        [true, false]
    )
    func forbidden(version: String, hasStore: Bool) async throws {
        let folder = try TemporaryDirectory()
        let rules = try folder.write("topic read #\ntopic deny denied/#\ntopic readwrite #\n", to: "acl")
        // Without a limit of its queues, mosquitto 2.0.11 hangs up after each message that it denies.
        let broker = try MosquittoBroker.start(
            configuration: "allow_anonymous true\nacl_file \(rules)\nmax_packet_size 2000\nmax_queued_messages 0"
        )
        let file = try folder.write(
            """
            brokers:
              main: {url: "\(broker.url)", version: \(version)}
            \(hasStore ? "store: {path: \(folder.file("store.sqlite"))}" : "")
            routes:
              - {name: all, topic: "{rest...}", event: "{rest...}", direction: out}

            """,
            to: "bridge.yaml"
        )
        let subscriber = try ChildProcess(
            "stdbuf",
            ["-oL", "mosquitto_sub", "-p", String(broker.port), "-t", "open/#", "-d"]
        )
        try await subscriber.waitForLine(containing: "Subscribed")
        for round in 1...2 {
            let daemon = try await Command.daemon("--config", file, "--stdin", "--receipts", "--status")
            for number in 1...6 { try daemon.write(line: "{\"event\": \"denied.\(number)\", \"payload\": \"x\"}") }
            let large = String(repeating: "x", count: 5_000)
            try daemon.write(line: "{\"event\": \"open.large\", \"payload\": \"\(large)\"}")
            try daemon.write(line: "{\"event\": \"open.round\(round)\", \"payload\": \"arrived \(round)\"}")
            try await subscriber.waitForLine(containing: "open/round\(round)", within: .seconds(30))
            let isRefused = try await eventually {
                daemon.lines(of: .output).contains {
                    $0.contains("\"receipt\":7,") && $0.contains("\"published\":false")
                }
            }
            #expect(isRefused)
            #expect(daemon.isRunning)
            #expect(!daemon.transcript.contains("client_id"))
            daemon.signal(SIGTERM)
            #expect(try await daemon.wait(within: .seconds(5)) == .exited(0))
        }
        guard hasStore else { return }
        let letters = try await Command.run("dead-letters", "list", "--config", file, "--format", "json").stdout
        #expect(letters.split(separator: "\n").count { $0.contains("open/large") } == 2)
    }
}

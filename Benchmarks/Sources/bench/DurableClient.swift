import Foundation

/// A program that stores what comes in before it acknowledges it.
enum DurableClient: String, CaseIterable {
    case insert = "C, insert"
    case insertAndDelete = "C, insert and delete"
    case bridge = "bridge"

    /// One run, with a store of its own.
    ///
    /// - Parameter synchronous: What a commit waits for: `full` or `normal`.
    func sample(version: Int, window: Int, synchronous: String, messages: Int) throws -> Metric.Sample {
        try withTemporaryFolder { folder in
            let database = folder.appending(path: "store").path(percentEncoded: false)
            let hose = Instrument(
                kind: .hose,
                version: version,
                qos: 1,
                options: [
                    "window": "\(window)", "topic": "home/%/temperature", "topics": "8",
                    // What is acknowledged is in the store: that is where the clock ends.
                    "until": "acknowledged",
                ]
            )
            return try hose.run(command(version, database, synchronous, messages), messages: messages).sample
        }
    }

    private func command(_ version: Int, _ database: String, _ synchronous: String, _ messages: Int) -> [String] {
        let peer = [Programs.path("durable-peer"), "{port}", database, synchronous, "\(version)", "\(messages)"]
        return switch self {
        case .insert: peer
        case .insertAndDelete: peer + ["delete"]
        case .bridge:
            [
                Programs.path("durable-bridge"), "--port", "{port}", "--database", database,
                "--synchronous", synchronous, "--mqtt", "\(version)", "--messages", "\(messages)",
            ]
        }
    }
}

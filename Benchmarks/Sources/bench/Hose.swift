import Foundation

/// Our fake broker that sends as fast as its client takes it.
struct Hose {
    /// 4 for MQTT 3.1.1, or 5.
    var version: Int
    /// The most messages that are not acknowledged.
    var window: Int
    var messages: Int

    /// What one run took, from the first byte of the first message to the acknowledgement of the last.
    struct Run: Codable {
        let messages: Int
        let window: Int
        let seconds: Double
        let messagesPerSecond: Double
        /// Of all threads of the client.
        let processorSeconds: Double
        /// How often acknowledgements arrived: `messages / reads` is how many came together.
        let reads: Int
    }

    /// Runs a client; `{port}` among the arguments becomes the port.
    func run(_ client: String, _ arguments: [String]) throws -> Run {
        let output = try Programs.output(
            of: "hose",
            [
                "--mqtt", "\(version)", "--window", "\(window)", "--messages", "\(messages)", "--",
                Programs.path(client),
            ] + arguments
        )
        return try JSONDecoder().decode(Run.self, from: output)
    }
}

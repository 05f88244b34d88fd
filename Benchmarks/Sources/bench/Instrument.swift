import Foundation

/// A program of this package that measures a client, which it starts itself.
struct Instrument {
    /// Which one.
    enum Kind: String {
        /// Sends as fast as its client takes it.
        case hose
        /// Takes in what its client sends.
        case sink
        /// Publishes through a real broker as fast as it lets us.
        case flood
        /// Sends through a real broker on a schedule, and times what comes back.
        case ping
        /// Floods one topic, and times what its client hears of another.
        case fairness
    }

    let kind: Kind
    /// 4 for MQTT 3.1.1, or 5.
    var version = 5
    var qos = 0
    /// Other options, by name.
    var options: [String: String] = [:]

    /// What one run took.
    struct Run: Decodable {
        /// KiB in memory.
        struct Resident: Decodable {
            let idle: Double
            let warm: Double
            let end: Double
            /// The most until its SUBSCRIBE.
            let peakAtSubscribe: Double
        }

        struct Delay: Decodable {
            let median: Double
            let ninetyNinth: Double
            let maximum: Double
        }

        let messages: Double
        /// The client's listeners had them; the others were dropped.
        let handled: Double
        let seconds: Double
        /// Of all threads of the client.
        let processorSeconds: Double
        /// How often something arrived at the fake broker.
        let reads: Double
        let secondsToSubscribe: Double
        let residentKibibytes: Resident
        let delayMicroseconds: Delay

        /// What every run with messages tells. A dropped message does not count towards the rate.
        var sample: Metric.Sample {
            [
                .messagesPerSecond: handled / seconds,
                .processorMicroseconds: processorSeconds * 1e6 / messages,
                .acknowledgementsPerRead: messages / max(1, reads),
                .droppedPercent: (messages - handled) / messages * 100,
            ]
        }
    }

    /// Runs a client; `{port}` among its arguments becomes the port.
    func run(_ client: [String], messages: Int) throws -> Run {
        var arguments = ["--mqtt", "\(version)", "--qos", "\(qos)", "--messages", "\(messages)"]
        for (name, value) in options.sorted(by: { $0.key < $1.key }) { arguments += ["--\(name)", value] }
        let output = try Programs.output(of: Programs.path(kind.rawValue), arguments + ["--"] + client)
        return try JSONDecoder().decode(Run.self, from: output)
    }
}

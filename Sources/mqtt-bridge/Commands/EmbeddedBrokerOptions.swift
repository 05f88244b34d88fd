import ArgumentParser
import BridgeDaemon
import Mosquitto

/// The options of an embedded broker, for users who have none.
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

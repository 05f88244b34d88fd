import ArgumentParser
import BridgeDaemon
import Mosquitto

/// The options of an embedded broker, for users without a broker.
struct EmbeddedBrokerOptions: ParsableArguments {
    @Flag(help: "Start a private mosquitto on 127.0.0.1, at port 1883 if that is free.")
    var embeddedBroker = false

    @Option(help: "The folder for the data of the embedded broker. Without it, the data is deleted at the end.")
    var brokerData: String?

    @Option(help: "The broker of the configuration that the embedded broker replaces, if there are several.")
    var embedAs: String?

    func validate() throws {
        guard embeddedBroker || (brokerData == nil && embedAs == nil) else {
            throw ValidationError("--broker-data and --embed-as go with --embedded-broker")
        }
    }

    /// Runs `body` with the setup. If an embedded broker is requested, it runs until `body` ends and has its URL in the setup.
    func around(_ setup: Setup, _ body: @escaping @Sendable (Setup) async throws -> Void) async throws {
        guard embeddedBroker else { return try await body(setup) }
        // Reports a wrong `--embed-as` before the broker is started.
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

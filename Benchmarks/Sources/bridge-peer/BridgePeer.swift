import ArgumentParser

/// The bridge as a program embeds it: in, out, there and back, or one topic beside a flood.
@main
struct BridgePeer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bridge-peer",
        abstract: "Moves so many messages over the bridge, then ends.",
        subcommands: [In.self, Out.self, Echo.self, Quiet.self]
    )
}

/// What all of them are told.
struct PeerOptions: ParsableArguments {
    @Option(help: "The port of the broker on 127.0.0.1.")
    var port: Int
    @Option(help: "The version of the protocol: 4 for MQTT 3.1.1, or 5.")
    var mqtt = 5
    @Option(help: "The QoS of the messages: 0 or 1.")
    var qos = 0
    @Option(help: "How many messages there are.")
    var messages: Int
    @Flag(help: "Calls of listeners begin on the client's thread.")
    var immediate = false
}

import ArgumentParser

/// The command line of the bridge.
@main
struct MQTTBridgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqtt-bridge",
        abstract: "Joins an in-process event bus to an MQTT broker.",
        discussion: """
            Exit codes: 0 done, 64 wrong usage, 65 damaged store, 66 nothing there, 69 broker unavailable, 70 a promise
            was broken, 73 store in use, 74 input/output error, 77 not permitted, 78 wrong configuration.
            """,
        subcommands: [
            RunCommand.self, CheckCommand.self, ExplainCommand.self, EmitCommand.self, ListenCommand.self,
            InitCommand.self, StoreCommand.self, DeadLettersCommand.self, TortureCommand.self, VersionCommand.self,
        ]
    )
}

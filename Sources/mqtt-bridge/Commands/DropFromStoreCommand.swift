import ArgumentParser
import MQTTBridge
import MessageStore
import Mosquitto
import SQLiteStore

/// `mqtt-bridge store drop`: removes messages without a consumer.
struct DropFromStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Delete the messages of a broker, a route or a listener, while no bridge uses the store.",
        discussion: """
            store status --config FILE shows the brokers, routes and listeners that have messages and are not in the \
            configuration. A message that waits for several listeners stays for the others. Dead letters stay: see \
            dead-letters drop. Exit 73 while a bridge uses the store, 66 if there is no such message.
            """
    )

    @OptionGroup var location: StoreLocation

    @Option(help: ArgumentHelp("The broker whose inbound and outbound messages are deleted.", valueName: "name"))
    var broker: String?

    @Option(help: ArgumentHelp("The route whose inbound and outbound messages are deleted.", valueName: "name"))
    var route: String?

    @Option(help: ArgumentHelp("The listener whose pending deliveries are deleted.", valueName: "name"))
    var listener: String?

    @Option(help: "The output format: text for people, json for programs.")
    var format: OutputFormat = .text

    private var owners: [StoreShare.Owner] {
        [broker.map { .broker($0) }, route.map { .route($0) }, listener.map { .listener($0) }].compactMap(\.self)
    }

    func validate() throws {
        guard owners.count == 1 else { throw ValidationError("name one of --broker, --route and --listener") }
    }

    func run() async throws {
        try await ExitCode.reporting {
            let owner = owners[0]
            let dropped = try location.withStoppedStore { store in
                let dropped = try store.drop(owner)
                guard dropped > 0 else {
                    throw StoreError(
                        .missing,
                        operation: "find messages of the \(owner.kind) \(escapedForLog(owner.name)) in \(store.path)",
                        advice: "See: mqtt-bridge store status"
                    )
                }
                return dropped
            }
            print(format == .json ? JSONText.object([("dropped", String(dropped))]) : "\(dropped) message(s) dropped")
        }
    }
}

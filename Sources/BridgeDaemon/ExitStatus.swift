internal import AsyncEventBus
internal import MQTTBridge
internal import MQTTBridgeConfiguration
internal import MessageStore
internal import Mosquitto

/// The exit codes, taken from sysexits.h, which service managers know.
package enum ExitStatus: Int32, Sendable {
    /// The command line, a name or a message is invalid.
    case usage = 64
    /// A store is damaged or newer than this program, or the file is not a store.
    case unusableData = 65
    /// The store, or the requested content of it, does not exist.
    case missing = 66
    /// A broker or a program is unavailable.
    case unavailable = 69
    /// Another process uses the store.
    case storeInUse = 73
    /// The medium fails, is full or is read-only.
    case inputOutput = 74
    /// The process did not end in time and was ended by force.
    case cutShort = 75
    /// A broker or the system refuses access.
    case notPermitted = 77
    /// The configuration is invalid.
    case configuration = 78

    /// The code for an error that ended a command.
    package init(_ error: any Error) {
        self =
            switch error {
            case is ConfigurationProblems, is RouteProblems: .configuration
            case let error as StoreError: Self.status(of: error)
            case let error as ClientError: Self.status(of: error)
            case is EventBusError: .usage
            default: .unavailable
            }
    }

    private static func status(of error: StoreError) -> ExitStatus {
        switch error.code {
        case .damaged, .foreign, .newer: .unusableData
        case .missing: .missing
        case .exists: .usage
        case .inUse: .storeInUse
        case .notPermitted: .notPermitted
        default: .inputOutput
        }
    }

    private static func status(of error: ClientError) -> ExitStatus {
        switch error.code {
        case .badCredentials, .notAuthorized, .tlsClientCertificate: .notPermitted
        case .takenOver, .tlsConfiguration, .secret, .unsupported, .invalidURL: .configuration
        case .invalidTopic, .invalidProperty, .tooLarge: .usage
        // The broker will never accept this client as it is configured.
        case .rejected where !error.isRetriable: .configuration
        default: .unavailable
        }
    }
}

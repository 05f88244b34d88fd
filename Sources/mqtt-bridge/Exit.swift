import ArgumentParser
import AsyncEventBus
import Foundation
import MQTTBridge
import MQTTBridgeConfiguration
import MessageStore
import Mosquitto

/// The exit codes: those of sysexits.h, which service managers know.
enum Exit {
    static let usage = ExitCode(64)
    static let unavailable = ExitCode(69)
    static let notPermitted = ExitCode(77)
    static let configuration = ExitCode(78)

    /// Runs a command, says on standard error what went wrong, and ends with the code that fits.
    static func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let code as ExitCode {
            throw code
        } catch is CancellationError {
            return
        } catch let problems as ConfigurationProblems {
            StandardError.write(problems.description)
            throw configuration
        } catch let problems as RouteProblems {
            StandardError.write(problems.description)
            throw configuration
        } catch {
            StandardError.write("mqtt-bridge: \(error)")
            throw code(for: error)
        }
    }

    static func code(for error: any Error) -> ExitCode {
        if let error = error as? StoreError { return code(for: error) }
        guard let error = error as? ClientError else {
            return error is EventBusError || error is ValidationError ? usage : unavailable
        }
        return switch error.code {
        case .badCredentials, .notAuthorized, .tlsClientCertificate: notPermitted
        case .takenOver, .tlsConfiguration, .secret, .unsupported, .invalidURL: configuration
        case .invalidTopic, .invalidProperty, .tooLarge: usage
        // A broker that will never speak to us, as things are configured.
        case .rejected where !error.isRetriable: configuration
        default: unavailable
        }
    }
}

/// What people should read, as opposed to what programs should.
enum StandardError {
    static func write(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}

import ArgumentParser
import BridgeDaemon
import MQTTBridge
import MQTTBridgeConfiguration

/// The end of a command.
enum Exit {
    /// Runs a command, says on standard error what went wrong, and ends with the code that fits.
    static func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let code as ExitCode {
            throw code
        } catch is CancellationError {
            return
        } catch {
            let isList = error is ConfigurationProblems || error is RouteProblems
            StandardError.write(isList ? "\(error)" : "mqtt-bridge: \(error)")
            throw ExitCode(error is ValidationError ? .usage : ExitStatus(error))
        }
    }
}

extension ExitCode {
    init(_ status: ExitStatus) {
        self.init(status.rawValue)
    }
}

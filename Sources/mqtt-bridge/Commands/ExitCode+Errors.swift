import ArgumentParser
import BridgeDaemon
import MQTTBridge
import MQTTBridgeConfiguration

extension ExitCode {
    /// Runs a command, reports an error on standard error, and ends with the error's exit code.
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

    init(_ status: ExitStatus) {
        self.init(status.rawValue)
    }
}

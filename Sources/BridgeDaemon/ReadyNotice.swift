internal import MQTTBridge
internal import Mosquitto
internal import ServiceLifecycle

/// Prints a line when every route is subscribed, at any log level, since scripts wait for it.
struct ReadyNotice: Service {
    let setup: Setup
    /// Returns when all routes are subscribed; throws when the bridge has ended.
    let becomeReady: @Sendable () async throws -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            do {
                try await becomeReady()
                let urls = setup.brokers.map { "\($0.name) at \($0.urls[0])" }.joined(separator: ", ")
                StandardError.write("mqtt-bridge: ready: \(max(1, setup.routes.count)) route(s), \(urls)")
            } catch let error as ClientError {
                StandardError.write("mqtt-bridge: not all routes work: \(error)")
            } catch {
                // The bridge throws its error itself. If this service returned first, it would start a graceful shutdown.
            }
            try? await gracefulShutdown()
        }
    }
}

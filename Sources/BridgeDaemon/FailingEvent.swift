internal import AsyncEventBus
internal import Foundation

/// Makes the listener of standard output fail at one event, to test retries and dead letters.
///
/// The environment variable `MQTT_BRIDGE_FAILING_EVENT` names the event; without it nothing fails. `mqtt-bridge torture`
/// uses it.
enum FailingEvent {
    private struct Failure: Error, CustomStringConvertible {
        let description = "made to fail by MQTT_BRIDGE_FAILING_EVENT"
    }

    static let retry = RetryPolicy(attempts: 3, shortest: .milliseconds(100), longest: .seconds(1))

    private static let name = ProcessInfo.processInfo.environment["MQTT_BRIDGE_FAILING_EVENT"]

    static func check(_ event: Event) throws {
        if let name, event.name.text == name { throw Failure() }
    }
}

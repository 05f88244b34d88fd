package import MQTTBridge

/// The pressure that a meter has measured.
package struct Reading: Codable, Sendable, Hashable {
    package var bar: Double
    package init(bar: Double) { self.bar = bar }
}

/// The state of a pump.
package struct PumpState: Codable, Sendable, Hashable {
    package var runs: Bool
    package init(runs: Bool) { self.runs = runs }
}

/// An order to a pump.
package struct PumpCommand: Codable, Sendable, Hashable {
    package var run: Bool
    package init(run: Bool) { self.run = run }
}

/// A question to a pump.
package struct Query: Codable, Sendable, Hashable {
    package init() {}
}

/// The events of the site: declared once, for listeners, emits, routes and tests.
package enum Site {
    package static let pressure = Topic<Reading>("meter.{id}.pressure")
    package static let pump = Topic<PumpState>("pump.{id}.state")
    package static let command = Topic<PumpCommand>("pump.{id}.command")
    package static let askPump = RequestTopic<Query, PumpState>("pump.{id}.ask")
}

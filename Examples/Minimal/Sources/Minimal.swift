import MQTTBridge

/// Prints the temperatures of a broker, and switches the heating on where it is cold.
@main
struct Minimal {
    static let temperature = Topic<Double>("home.{room}.temperature")
    static let heating = Topic<Bool>("home.{room}.heating")

    static func main() async throws {
        let bus = EventBus(name: "minimal")
        bus.on(temperature) { degrees, event in
            print("\(try event.room): \(degrees) °C")
            try bus.emit(heating(room: event.room), degrees < 18)
        }
        let bridge = try Bridge(
            bus: bus,
            brokers: [Broker(CommandLine.arguments.dropFirst().first ?? "mqtt://127.0.0.1:1883")],
            routes: [
                Route("home/{room}/temperature", temperature, direction: .in),
                Route("home/{room}/heating", heating, direction: .out),
            ]
        )
        try await bridge.run()
    }
}

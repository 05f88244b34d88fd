package import MQTTBridge

extension Site {
    /// Above 6 bar the pump of the same number stops, below 2 bar it runs. Durable: a reading that the broker has handed over is
    /// judged even if the gateway crashes meanwhile.
    package static func addPressureRule(to bus: EventBus) throws {
        try bus.on(pressure, durable: "pressure rule", delivery: .keyed(\.id), .retry(3), .timeout(.seconds(2))) {
            reading,
            event in
            guard reading.bar > 6 || reading.bar < 2 else { return }
            try bus.emit(command(id: event.id), PumpCommand(run: reading.bar < 2))
        }
    }
}

import AsyncEventBus

// A bus inside one process, without MQTT.
let temperature = Topic<Double>("home.{room}.temperature")

let bus = EventBus(name: "bus")
bus.on(temperature) { degrees, event in
    print("\(try event.room): \(degrees) °C")
}
try bus.emit(temperature(room: "kitchen"), 21.5)
await bus.waitUntilIdle()

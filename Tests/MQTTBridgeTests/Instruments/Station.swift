import AsyncEventBus
import BufferedIO
import Logging
import MessageStore
import Mosquitto
import TestSupport

@testable import MQTTBridge

/// A bus with a bridge, and all that is heard on the bus: a process of its own, but for the process.
final class Station: Sendable {
    let bus: EventBus
    let bridge: Bridge
    private let heard: Locked<[Event]>
    private let told: Locked<[Report]>

    /// - Parameter hears: Whether there is a durable listener for everything: with a store each message waits for it.
    init(
        _ brokers: [Broker],
        routes: [Route] = [],
        options: BridgeOptions = BridgeOptions(),
        bus: EventBus = EventBus(logger: .silent),
        store: (any MessageStore)? = nil,
        hears: Bool = true,
        logger: Logger = .silent,
        timing: Timing = .system
    ) throws {
        BufferedIO.enable()
        let (heard, told) = (Locked<[Event]>([]), Locked<[Report]>([]))
        (self.bus, self.heard, self.told) = (bus, heard, told)
        bridge = try Bridge(
            bus: bus,
            brokers: brokers,
            routes: routes,
            options: options,
            store: store,
            logger: logger,
            timing: timing,
            makeClient: Broker.makeClient
        )
        let hear: Listener.Body = { event in heard.withLock { $0.append(event) } }
        if hears {
            try bus.on("**", durable: "heard", delivery: .serial, .capacity(1_000_000), body: hear)
        } else {
            bus.on("**", delivery: .serial, .capacity(1_000_000), body: hear)
        }
        for pattern in ["$bridge.*", "$bus.*"] as [EventPattern] {
            bus.on(pattern, delivery: .serial, .capacity(1_000_000)) { event in
                told.withLock { $0.append(Report(event)) }
            }
        }
    }

    /// Every event that is not about the bridge or the bus, in order.
    var events: [Event] { heard.withLock { $0 } }

    var count: Int { heard.withLock { $0.count } }

    /// The payloads of the events of one name.
    func texts(_ name: EventName) -> [String] { events.filter { $0.name == name }.map { $0.payload.text ?? "" } }

    /// What was told about the bridge, of one kind: `connected`, `dropped` …
    func reports(_ kind: String) -> [Report] { told.withLock { $0 }.filter { $0.name == "$bridge.\(kind)" } }

    /// All that was told about the bridge and the bus, for messages.
    var reports: [Report] { told.withLock { $0 } }

    /// Whether nothing was discarded, neither by the bridge nor by a mailbox.
    var droppedNothing: Bool {
        told.withLock { $0 }.allSatisfy { $0.name != "$bridge.dropped" && $0.name != "$bus.dropped" }
    }

    /// Waits until so many events were heard.
    func hears(_ count: Int, within limit: Duration = .seconds(30)) async throws {
        try await waits("\(count) events", within: limit) { $0.count >= count }
    }

    /// Waits until something was told.
    @discardableResult
    func tells(_ kind: String, _ count: Int = 1, within limit: Duration = .seconds(30)) async throws -> Report {
        try await waits("\(count) × $bridge.\(kind)", within: limit) { $0.reports(kind).count >= count }
        return reports(kind)[count - 1]
    }

    private func waits(_ what: String, within limit: Duration, _ condition: (Station) -> Bool) async throws {
        if try await eventually(within: limit, { condition(self) }) { return }
        throw FaultKitError("not within \(limit.patient): \(what); heard \(count) events; told \(reports)")
    }
}

/// Runs bridges for as long as `body` runs, then sees to it that they end, and in time.
///
/// - Parameters:
///   - ready: Whether to wait for all subscriptions first.
///   - idle: Called when they have ended: lets calls return that would never.
func withRunning<Value: Sendable>(
    _ stations: Station...,
    ready: Bool = true,
    idle: () -> Void = {},
    _ body: () async throws -> Value
) async throws -> Value {
    let runs = stations.map { station in Task { try await station.bridge.run() } }
    let result: Result<Value, any Error>
    do {
        if ready {
            for station in stations {
                try await withTimeLimit(.seconds(30), "the bridge is ready") { try await station.bridge.becomeReady() }
            }
        }
        result = .success(try await body())
    } catch {
        result = .failure(error)
    }
    for run in runs { run.cancel() }
    for run in runs { try await withTimeLimit(.seconds(30), "run() returns") { try await run.value } }
    idle()
    // What was told last has been heard.
    for station in stations { await station.bus.waitUntilIdle() }
    return try result.get()
}

/// Waits until a number has not changed for half a second, `stretched`.
func settled(within limit: Duration = .seconds(60), _ count: () -> Int) async throws {
    var (last, since) = (count(), ContinuousClock.now)
    let isSettled = try await eventually(within: limit) {
        let now = count()
        if now != last { (last, since) = (now, .now) }
        return since.duration(to: .now) > .milliseconds(500).stretched
    }
    if !isSettled { throw TimeLimitExceeded("nothing more arrives (\(last) so far)", limit) }
}

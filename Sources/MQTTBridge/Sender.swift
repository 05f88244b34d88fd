import AsyncEventBus
import Mosquitto

/// Takes events from the bus and publishes them, by the routes.
final class Sender: EventRelay {
    /// A broker to publish to.
    struct Outlet: Sendable {
        let client: Client
        let format: WireFormat
        let link: String
    }

    private let outlets: [String: Outlet]
    private let context: BridgeContext

    init(outlets: [String: Outlet], context: BridgeContext) {
        self.outlets = outlets
        self.context = context
    }

    func take(_ event: Event, receipt: Receipt?) -> RelayAnswer {
        var answer = RelayAnswer.declined
        for target in context.table.outbound(event.name) {
            guard let outlet = outlets[target.route.broker], mayPass(event, target, outlet) else { continue }
            if let problem = target.problem {
                refuse(target, problem, receipt)
                answer = .taken
                continue
            }
            do {
                try publish(event, target, outlet, receipt)
                answer = .taken
            } catch {
                guard error.code == .queueFull else {
                    refuse(target, error, receipt)
                    answer = .taken
                    continue
                }
                // Whoever waits for room gives the whole event again: only as long as no part of it is under way.
                guard answer == .taken else { return .full }
                refuse(target, error, receipt)
            }
        }
        return answer
    }

    func discarded(_ event: Event) {
        context.reporter.count(.dropped, broker: "", topic: event.name.text, reason: "the queue to the broker is full")
    }

    func waitForRoom(for event: Event) async throws {
        // Only those that the event is for: another broker may be away for days.
        for broker in Set(context.table.outbound(event.name).map(\.route.broker)) {
            try await outlets[broker]?.client.waitForRoom()
        }
    }

    /// The layers of the loop guard that look at what goes out. Events that were emitted here pass without a look.
    private func mayPass(_ event: Event, _ target: RouteTable.Outbound, _ outlet: Outlet) -> Bool {
        guard let origin = event.origin.transport else { return true }
        guard origin.link != outlet.link else { return false }
        guard event.origin.hops < context.options.maximumHops else {
            loop(target, "passed \(event.origin.hops) bridges")
            return false
        }
        let hasIdentity = event.id.source != context.bus.source
        guard !hasIdentity || context.guards.places(event.id, link: outlet.link, topic: target.topic) else {
            return false
        }
        // Where one side has no identities, a copy that comes back cannot be told from a new message.
        guard let mqtt = event.mqtt, !mqtt.carriesIdentity || !outlet.format.carriesIdentity else { return true }
        switch context.guards.passes(event, from: origin.link, to: outlet.link, countsRate: !hasIdentity) {
        case .pass:
            return true
        case .trips:
            loop(target, "the same content goes round, or too often the same way: stopped for a while")
            return false
        case .blocked:
            loop(target, "stopped for a while")
            return false
        }
    }

    private func publish(
        _ event: Event,
        _ target: RouteTable.Outbound,
        _ outlet: Outlet,
        _ receipt: Receipt?
    ) throws(ClientError) {
        let route = target.route
        let message = outlet.format.encode(event, topic: target.topic, qos: route.qos, retain: route.retain)
        let comesBack =
            outlet.format.needsEchoWindow && !context.table.inbound(target.topic, broker: route.broker).isEmpty
        let echo = comesBack ? EchoWindow.Key(topic: message.topic, payload: message.payload) : nil
        guard receipt != nil || echo != nil else {
            try outlet.client.enqueue(message)
            return
        }
        // Before it can come back, and taken back if it was not taken: else somebody else's equal message would pass
        // for the echo.
        if let echo { context.guards.willPublish(echo, link: outlet.link) }
        do throws(ClientError) {
            try outlet.client.enqueue(message) { [guards = context.guards] result in
                if let echo { guards.didPublish(echo, link: outlet.link, isTaken: result.isSuccess) }
                switch result {
                case .success: receipt?.didPublish()
                case .failure(let error): receipt?.didRefuse(error)
                }
            }
        } catch {
            if let echo { context.guards.didPublish(echo, link: outlet.link, isTaken: false) }
            throw error
        }
        // After it may have been published already: a receipt is not looked at before the emit is complete.
        receipt?.willPublish()
    }

    private func refuse(_ target: RouteTable.Outbound, _ error: ClientError, _ receipt: Receipt?) {
        receipt?.willPublish()
        receipt?.didRefuse(error)
        let kind: StatusReporter.Counted = error.code == .queueFull ? .dropped : .refused
        context.reporter.count(kind, broker: target.route.broker, topic: target.topic, reason: "\(error)")
    }

    private func loop(_ target: RouteTable.Outbound, _ reason: String) {
        context.reporter.count(.loop, broker: target.route.broker, topic: target.topic, reason: reason)
    }
}

extension Result {
    fileprivate var isSuccess: Bool { if case .success = self { true } else { false } }
}

extension WireFormat {
    /// Whether what we publish comes back and nothing in it tells: MQTT 3.1.1 has no No Local.
    var needsEchoWindow: Bool { version == .v3_1_1 && !carriesIdentity }
}

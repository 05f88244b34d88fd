import AsyncEventBus
import Locking
import MessageStore
import Mosquitto

/// Takes events from the bus and publishes them, by the routes.
final class Sender: EventRelay {
    /// A broker to publish to. An object: each event is handed one.
    final class Outlet: Sendable {
        let broker: String
        let client: Client
        let format: WireFormat
        let link: String

        init(broker: String, client: Client, format: WireFormat, link: String) {
            self.broker = broker
            self.client = client
            self.format = format
            self.link = link
        }
    }

    private let context: BridgeContext
    private let journal: Journal?
    /// By the positions of the brokers in the table. Set once, before anything is emitted.
    private let shared = Locked<[Outlet?]>([])

    init(context: BridgeContext, journal: Journal?) {
        self.context = context
        self.journal = journal
    }

    private var outlets: [Outlet?] { shared.withLock { $0 } }

    func attach(_ outlets: [String: Outlet]) {
        let sorted = context.table.brokers.map { outlets[$0] }
        shared.withLock { $0 = sorted }
    }

    private func outlet(for target: RouteTable.Outbound) -> Outlet? {
        shared.withLock { $0.isEmpty ? nil : $0[target.broker] }
    }

    func take(_ event: Event, receipt: Receipt?) -> RelayAnswer {
        var answer = RelayAnswer.declined
        for target in context.table.outbound(event.name) {
            // What came in by a durable route was stored for the durable routes out with it.
            if target.isDurable, event.mqtt?.isForwarded == true { continue }
            guard let outlet = outlet(for: target), mayPass(event, target, outlet) else { continue }
            if let problem = target.problem {
                refuse(target, problem, receipt)
                answer = .taken
                continue
            }
            do throws(ClientError) {
                if target.isDurable, let journal {
                    try store(event, target, outlet, receipt, journal)
                } else {
                    try publish(event, target, outlet, receipt)
                }
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
        for target in context.table.outbound(event.name) {
            if target.isDurable, let journal {
                guard let outlet = outlet(for: target) else { continue }
                let size = departure(event, target, outlet, nil, now: 0).record.size
                try await journal.work.waitForRoom(route: target.route.name, size: size)
            } else {
                try await outlet(for: target)?.client.waitForRoom()
            }
        }
    }

    /// What durable routes make of an event that is about to be stored itself.
    func departures(for event: Event) -> [Departure] {
        guard let journal, context.table.hasDurableOutbound else { return [] }
        return context.table.outbound(event.name).compactMap { target in
            guard target.isDurable, let outlet = outlet(for: target), mayPass(event, target, outlet)
            else { return nil }
            if let problem = target.problem {
                refuse(target, problem, nil)
                return nil
            }
            return departure(event, target, outlet, nil, now: journal.clock.now)
        }
    }

    /// Durable messages could not be stored: those that they were made of come again.
    func withdraw(_ departures: [Departure]) {
        let links = Dictionary(uniqueKeysWithValues: zip(context.table.brokers, outlets.map { $0?.link }))
        for record in departures.map(\.record) {
            guard let link = links[record.broker] ?? nil else { continue }
            context.guards.unplace(EventID(source: record.source, tag: record.tag), link: link, topic: record.topic)
        }
    }

    private func departure(
        _ event: Event,
        _ target: RouteTable.Outbound,
        _ outlet: Outlet,
        _ receipt: Receipt?,
        now: Int64
    ) -> Departure {
        let route = target.route
        let message = outlet.format.encode(event, topic: target.topic, qos: route.qos, retain: route.retain)
        let record = RecordCodec.outbound(event, message, route: route, now: now)
        return Departure(record: record, message: message, receipt: receipt)
    }

    private func store(
        _ event: Event,
        _ target: RouteTable.Outbound,
        _ outlet: Outlet,
        _ receipt: Receipt?,
        _ journal: Journal
    ) throws(ClientError) {
        let departure = departure(event, target, outlet, receipt, now: journal.clock.now)
        let operation = "store for \"\(escapedForLog(target.topic))\""
        guard departure.record.size <= PendingChanges.departureBytes else {
            throw ClientError(.tooLarge, operation: operation)
        }
        switch journal.work.offer(departure) {
        case .accept, .evict:
            receipt?.willPublish()
            receipt?.willStore()
        case nil:
            throw ClientError(.notRunning, operation: operation)
        case .wait:
            throw ClientError(.queueFull, operation: operation, detail: "the store is full")
        case .reject, .drop:
            refuse(target, ClientError(.queueFull, operation: operation, detail: "the store is full"), receipt)
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
        let message = outlet.format.encode(event, topic: target.topic, qos: target.qos, retain: target.isRetained)
        guard let receipt else {
            try outlet.publish(message, context, completion: nil)
            return
        }
        try outlet.publish(message, context) { result in
            switch result {
            case .success: receipt.didPublish()
            case .failure(let error): receipt.didRefuse(error, endsStoring: false)
            }
        }
        // After it may have been published already: a receipt is not looked at before the emit is complete.
        receipt.willPublish()
    }

    private func refuse(_ target: RouteTable.Outbound, _ error: ClientError, _ receipt: Receipt?) {
        receipt?.willPublish()
        if target.isDurable { receipt?.willStore() }
        receipt?.didRefuse(error, endsStoring: target.isDurable)
        let kind: StatusReporter.Counted = error.code == .queueFull ? .dropped : .refused
        context.reporter.count(kind, broker: target.route.broker, topic: target.topic, reason: "\(error)")
    }

    private func loop(_ target: RouteTable.Outbound, _ reason: String) {
        context.reporter.count(.loop, broker: target.route.broker, topic: target.topic, reason: reason)
    }
}

extension Sender.Outlet {
    /// Gives a message, whose topic ``RouteTable`` has checked, to the client, and lets the loop guard know where it will
    /// come back without a sign that it is ours.
    func publish(
        _ message: consuming Message,
        _ context: BridgeContext,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    ) throws(ClientError) {
        let comesBack = format.needsEchoWindow && !context.table.inbound(message.topic, broker: broker).isEmpty
        guard comesBack else {
            try client.enqueue(checked: message, completion: completion)
            return
        }
        // Before it can come back, and taken back if it was not taken: else somebody else's equal message would pass
        // for the echo.
        let echo = EchoWindow.Key(topic: message.topic, payload: message.payload)
        context.guards.willPublish(echo, link: link)
        do throws(ClientError) {
            try client.enqueue(checked: message) { [guards = context.guards, link] result in
                guards.didPublish(echo, link: link, isTaken: result.isSuccess)
                completion?(result)
            }
        } catch {
            context.guards.didPublish(echo, link: link, isTaken: false)
            throw error
        }
    }
}

extension Result {
    fileprivate var isSuccess: Bool { if case .success = self { true } else { false } }
}

extension WireFormat {
    /// Whether what we publish comes back and nothing in it tells: MQTT 3.1.1 has no No Local.
    var needsEchoWindow: Bool { version == .v3_1_1 && !carriesIdentity }
}

import AsyncEventBus
import Locking
import MessageStore
import Mosquitto

/// Publishes events of the bus by one set of routes and brokers.
///
/// Immutable: when routes or brokers change, ``CurrentRouter`` replaces it.
final class OutboundRouter: EventTransport {
    /// Increases with each router of a bridge. Invalidates plans that an earlier router has made.
    let generation: UInt64
    let table: RouteTable
    /// The brokers by name.
    let outlets: [String: BrokerOutlet]
    private let context: BridgeContext
    private let writer: StoreWriter?
    /// The brokers by their positions in the table; nil for a missing broker.
    private let outletsByPosition: [BrokerOutlet?]

    init(
        _ table: RouteTable,
        outlets: [String: BrokerOutlet] = [:],
        generation: UInt64 = 0,
        context: BridgeContext,
        writer: StoreWriter?
    ) {
        self.generation = generation
        self.table = table
        self.outlets = outlets
        self.context = context
        self.writer = writer
        outletsByPosition = table.brokers.map { outlets[$0] }
    }

    /// The successor with other routes or brokers.
    func next(_ table: RouteTable, outlets: [String: BrokerOutlet]) -> OutboundRouter {
        OutboundRouter(table, outlets: outlets, generation: generation + 1, context: context, writer: writer)
    }

    private func outlet(for target: RouteTable.Outbound) -> BrokerOutlet? { outletsByPosition[target.broker] }

    func take(_ event: Event, receipt: TransportReceipt?) {
        for target in table.outbound(event.name) {
            do throws(ClientError) {
                try offer(event, target, receipt)
            } catch {
                reportRefusal(target, error, receipt)
            }
        }
    }

    func take(_ event: Event, receipt: TransportReceipt?, progress: inout TransportProgress) -> Bool {
        var isDone = true
        for (position, target) in table.outbound(event.name).enumerated()
        where !progress.parts.contains(position) {
            do throws(ClientError) {
                try offer(event, target, receipt)
            } catch {
                // Other targets need not wait for this one, whose broker may be unreachable for days.
                guard error.code != .queueFull else {
                    // Recorded only if needed, since a set costs an allocation per event.
                    if isDone { progress.parts.formUnion(0..<position) }
                    isDone = false
                    continue
                }
                reportRefusal(target, error, receipt)
            }
            if !isDone { progress.parts.insert(position) }
        }
        return isDone
    }

    /// Gives an event to a broker.
    ///
    /// - Throws: `ClientError` with code `queueFull` if there is no room now; then nothing has changed but the loop
    ///   guard's records.
    private func offer(
        _ event: Event,
        _ target: RouteTable.Outbound,
        _ receipt: TransportReceipt?
    ) throws(ClientError) {
        // Messages for durable outbound routes were stored together with the inbound message.
        if target.isDurable, event.mqtt?.isForwarded == true { return }
        guard let outlet = outlet(for: target), mayPass(event, target, outlet) else { return }
        if let problem = target.problem { throw problem }
        if target.retention.keeps(event) { recordState(of: event, outlet) }
        if target.isDurable, let writer {
            try store(event, target, outlet, receipt, writer)
        } else {
            try publish(event, target, outlet, receipt)
        }
    }

    func waitForRoom(for event: Event, progress: TransportProgress) async throws {
        for (position, target) in table.outbound(event.name).enumerated()
        where !progress.parts.contains(position) {
            guard let outlet = outlet(for: target) else { continue }
            if target.isDurable, let writer {
                let size = departure(event, target, outlet, nil, now: 0).record.size
                try await writer.pending.waitForRoom(route: target.route.name, size: size)
            } else {
                try await outlet.client.waitForRoom(for: outlet.message(of: event, for: target, table))
            }
        }
    }

    /// The messages of durable outbound routes for an event that is about to be stored itself.
    func departures(for event: Event) -> [PendingPublish] {
        guard let writer, table.hasDurableOutbound else { return [] }
        return table.outbound(event.name).compactMap { target in
            guard target.isDurable, let outlet = outlet(for: target), mayPass(event, target, outlet)
            else { return nil }
            if let problem = target.problem {
                reportRefusal(target, problem, nil)
                return nil
            }
            if target.retention.keeps(event) { recordState(of: event, outlet) }
            var departure = departure(event, target, outlet, nil, now: writer.clock.now)
            departure.state = beginState(of: event, target, outlet)
            return departure
        }
    }

    /// The places whose state a retained message of an event sets.
    ///
    /// - Parameter isFixed: Whether to return only routes that retain every message.
    func placesOfStates(of event: EventName, isFixed: Bool = false) -> [RetainedStates.Place] {
        table.outbound(event).filter { isFixed ? $0.retention == .always : $0.retention.mayKeep }
            .flatMap { outlet(for: $0)?.placesOfState(on: $0.topic, context) ?? [] }
    }

    /// Records that a state is about to be published to a broker.
    private func recordState(of event: Event, _ outlet: BrokerOutlet) {
        let digest = context.loopGuard.digest(event.payload.bytes)
        context.states.withLock { states in
            // A replayed state was recorded when it came.
            if !event.origin.isReplayed { states.passed(event.name, digest, from: event.origin.transport?.link ?? "") }
            states.published(event.name, digest, to: outlet.link)
        }
    }

    /// Marks a state as in flight to one broker. The mark replaces that of the inbound message.
    private func beginState(
        of event: Event,
        _ target: RouteTable.Outbound,
        _ outlet: BrokerOutlet
    ) -> StateInFlight? {
        guard target.retention.keeps(event) else { return nil }
        defer { event.mqtt?.passage.reached(outlet.link) }
        return outlet.stateInFlight(on: target.topic, context)
    }

    /// Forgets messages that could not be stored: the inbound messages that they were made of come again.
    func withdraw(_ departures: [PendingPublish]) {
        for departure in departures {
            let record = departure.record
            guard let outlet = outlets[record.broker] else { continue }
            // The digest of the event's payload, not of its envelope.
            let digest = context.loopGuard.digest(outlet.format.decode(departure.message).payload)
            let id = EventID(source: record.source, tag: record.tag)
            context.loopGuard.forgetPublished(id, digest, link: outlet.link, topic: record.topic)
        }
    }

    private func departure(
        _ event: Event,
        _ target: RouteTable.Outbound,
        _ outlet: BrokerOutlet,
        _ receipt: TransportReceipt?,
        now: Int64
    ) -> PendingPublish {
        let message = outlet.message(of: event, for: target, table)
        let record = RecordCodec.outbound(event, message, route: target.route, now: now)
        return PendingPublish(record: record, message: message, receipt: receipt)
    }

    private func store(
        _ event: Event,
        _ target: RouteTable.Outbound,
        _ outlet: BrokerOutlet,
        _ receipt: TransportReceipt?,
        _ writer: StoreWriter
    ) throws(ClientError) {
        var departure = departure(event, target, outlet, receipt, now: writer.clock.now)
        departure.state = beginState(of: event, target, outlet)
        let operation = "store for \"\(escapedForLog(target.topic))\""
        guard departure.record.size <= PendingChanges.departureBytes else {
            throw ClientError(.tooLarge, operation: operation)
        }
        switch writer.pending.offer(departure) {
        case .accept, .evict:
            receipt?.willPublish()
            receipt?.willStore()
        case nil:
            throw ClientError(.notRunning, operation: operation)
        case .wait:
            throw ClientError(.queueFull, operation: operation, detail: "the store is full")
        case .reject, .drop:
            reportRefusal(target, ClientError(.queueFull, operation: operation, detail: "the store is full"), receipt)
        }
    }

    /// Applies the outbound layers of the loop guard. Events emitted on this bus always pass.
    private func mayPass(_ event: Event, _ target: RouteTable.Outbound, _ outlet: BrokerOutlet) -> Bool {
        guard let origin = event.origin.transport else { return true }
        guard origin.link != outlet.link else { return false }
        if target.retention.mayKeep, case .outdated? = event.mqtt?.passage, target.retention.keeps(event) {
            let reason = "outdated: another state is in flight to the broker that it came from"
            context.reporter.count(.dropped, broker: target.route.broker, topic: target.topic, reason: reason)
            return false
        }
        guard event.origin.hops < context.options.maximumHops else {
            reportLoop(target, "passed \(event.origin.hops) bridges")
            return false
        }
        let hasIdentity = event.id.source != context.bus.source
        if hasIdentity {
            let digest = context.loopGuard.digest(event.payload.bytes)
            guard context.loopGuard.recordPublished(event.id, digest, link: outlet.link, topic: target.topic) else {
                return false
            }
        }
        // If one broker carries no identities, a returning copy is indistinguishable from a new message.
        guard let mqtt = event.mqtt, !mqtt.carriesIdentity || !outlet.format.carriesIdentity else { return true }
        switch context.loopGuard.passes(event, from: origin.link, to: outlet.link, countsRate: !hasIdentity) {
        case .pass:
            return true
        case .trips:
            reportLoop(target, "the same content alternates between brokers, or repeats too fast: stopped for a while")
            return false
        case .blocked:
            reportLoop(target, "stopped for a while")
            return false
        }
    }

    private func publish(
        _ event: Event,
        _ target: RouteTable.Outbound,
        _ outlet: BrokerOutlet,
        _ receipt: TransportReceipt?
    ) throws(ClientError) {
        let message = outlet.message(of: event, for: target, table)
        let state = beginState(of: event, target, outlet)
        guard let receipt else {
            try outlet.publish(message, context, state: state, completion: nil)
            return
        }
        try outlet.publish(message, context, state: state) { [context] result in
            switch result {
            case .success(let reason):
                receipt.didPublish(isUnheard: reason == .noMatchingSubscribers)
            case .failure(let error):
                receipt.didRefuse(error, endsStoring: false)
                guard error.code != .notRunning else {
                    // Reported as a sum when the bridge has ended.
                    context.end.lost()
                    return
                }
                context.reporter.count(
                    .refused,
                    broker: target.route.broker,
                    topic: target.topic,
                    reason: "\(error)"
                )
            }
        }
        // The message may be published already, but a receipt is not evaluated before the emit is complete.
        receipt.willPublish()
    }

    private func reportRefusal(_ target: RouteTable.Outbound, _ error: ClientError, _ receipt: TransportReceipt?) {
        receipt?.willPublish()
        if target.isDurable { receipt?.willStore() }
        receipt?.didRefuse(error, endsStoring: target.isDurable)
        let kind: CountedStatus = error.code == .queueFull ? .dropped : .refused
        context.reporter.count(kind, broker: target.route.broker, topic: target.topic, reason: "\(error)")
    }

    private func reportLoop(_ target: RouteTable.Outbound, _ reason: String) {
        context.reporter.count(.loop, broker: target.route.broker, topic: target.topic, reason: reason)
    }
}

import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto

/// Reports connection events on the bus and in the log.
extension MessageReceiver {
    func client(_ client: Client, noticed event: ClientEvent) {
        switch event {
        case .connected(let info): connected(info)
        case .disconnected(let error): disconnected(error)
        case .retrying(let error, let attempt, let pause): retrying(error, attempt: attempt, pause: pause)
        case .subscribed(let results): subscribed(results)
        case .sessionLost:
            log(.warning, "the broker has lost our session", [:])
            report("$bridge.sessionlost")
        case .refused(let message, let error, let isAnswered):
            // Otherwise the completion reports it, since a durable message may be tried again.
            if !isAnswered {
                context.reporter.count(.refused, broker: broker.name, topic: message.topic, reason: "\(error)")
            }
        case .stalled(let stall): stalled(stall)
        case .recovered(let hop, let missing):
            log(.notice, "the overdue answer has come", [LogKey.hop: "\(hop)", LogKey.age: "\(missing)"])
            report("$bridge.recovered", [("hop", JSONText.string("\(hop)")), ("age", String(missing.wholeSeconds))])
        case .insecure(let text):
            log(.warning, "insecure connection", [LogKey.reason: "\(text)"])
        case .degraded(let text):
            log(.warning, "the broker does not support a requested feature", [LogKey.reason: "\(text)"])
            report("$bridge.degraded", [("reason", JSONText.string(text))])
        case .parked(let reason): parked(reason)
        case .resumed:
            guard !context.end.hasBegun else { return }
            log(.notice, "reading again", [:])
            report("$bridge.resumed")
        }
    }

    private func stalled(_ stall: Stall) {
        log(
            .warning,
            "an answer of the broker is overdue",
            [LogKey.hop: "\(stall.hop)", LogKey.age: "\(stall.age)", LogKey.count: "\(stall.waiting)"]
        )
        report(
            "$bridge.stalled",
            [
                ("hop", JSONText.string("\(stall.hop)")), ("age", String(stall.age.wholeSeconds)),
                ("waiting", String(stall.waiting)),
            ]
        )
    }

    /// The client has disconnected, and the broker queues messages for our session.
    private func parked(_ reason: ParkReason) {
        // At shutdown nothing is read, which is no reason to report.
        guard !context.end.hasBegun else { return }
        let text =
            switch reason {
            case .held where writer?.isFailing == true: "the store cannot be written"
            case .held: "the store is full"
            case .refused: "the store cannot be written"
            }
        log(.warning, "disconnected from the broker until the store accepts messages again", [LogKey.reason: "\(text)"])
        report("$bridge.parked", [("reason", JSONText.string(text))])
        context.readiness.lost(broker.name)
        writer?.disconnected(broker.name)
    }

    private func connected(_ info: ConnectionInfo) {
        writer?.connected(broker.name)
        hasMarks.withLock { $0 = info.subscriptionIdentifiersAvailable }
        recordSession()
        log(.info, "connected", [LogKey.url: "\(info.url)", LogKey.session: info.sessionPresent ? "resumed" : "new"])
        var missing: [String] = []
        if !info.retainAvailable { missing.append("no retained messages") }
        if !info.wildcardsAvailable { missing.append("no wildcard subscriptions") }
        if info.maximumQoS < .exactlyOnce { missing.append("QoS \(info.maximumQoS.rawValue) at most") }
        if !missing.isEmpty {
            log(
                .notice,
                "the broker does not support all features",
                [LogKey.reason: "\(missing.joined(separator: ", "))"]
            )
        }
        report(
            "$bridge.connected",
            [
                ("url", JSONText.string(info.url.description)), ("version", JSONText.string(info.version.rawValue)),
                ("session_present", String(info.sessionPresent)),
            ]
        )
    }

    /// Records the session once. Tries again at the next connection if the store fails.
    private func recordSession() {
        guard let store = writer?.store, !isSessionRecorded.withLock({ $0 }) else { return }
        do {
            try broker.recordSession(in: store)
            isSessionRecorded.withLock { $0 = true }
        } catch {
            log(
                .warning,
                "cannot record the session in the store, trying again with the next connection",
                [LogKey.reason: "\(error)"]
            )
        }
    }

    private func disconnected(_ error: ClientError?) {
        writer?.disconnected(broker.name)
        context.readiness.lost(broker.name)
        context.states.withLock { [link] in $0.lost(link) }
        if let error { log(.warning, "disconnected", [LogKey.reason: "\(error)"]) }
        let isHeld = writer?.pressure.isHeld(broker.name) ?? false
        report(
            "$bridge.disconnected",
            [
                ("reason", JSONText.string(error.map { "\($0)" } ?? (isHeld ? "parked" : "shutting down"))),
                ("code", JSONText.string(error.map { "\($0.code)" } ?? (isHeld ? "parked" : "shutdown"))),
            ]
        )
    }

    /// Logs attempts 1, 2, 4, 8 and so on only, since pauses may be short.
    private func retrying(_ error: ClientError, attempt: Int, pause: Duration) {
        guard attempt > 0, attempt & (attempt - 1) == 0 else { return }
        log(
            .warning,
            "cannot connect yet, retrying",
            [LogKey.reason: "\(error)", LogKey.attempt: "\(attempt)", LogKey.pause: "\(pause)"]
        )
    }

    private func subscribed(_ results: [SubscriptionResult]) {
        do throws(StoreError) {
            guard try subscriptions.settled(results.map(\.request)) else { return }
        } catch {
            // The filters are unsubscribed once more at the next start.
            log(.notice, "cannot record in the store that filters were unsubscribed", [LogKey.reason: "\(error)"])
        }
        let refused = results.filter { !$0.reason.isSuccess }
        if let first = refused.first {
            let reasons = Set(refused.compactMap(\.refusal)).sorted()
            let reason = reasons.prefix(3).joined(separator: "; ")
            log(.error, "subscriptions refused", Self.summary(refused).merging([LogKey.reason: "\(reason)"]) { $1 })
            context.reporter.count(
                .refused,
                broker: broker.name,
                topic: first.request.filter,
                reason: "subscription: \(first.refusal ?? "")",
                number: refused.count,
                level: .debug
            )
        }
        let lowered = results.filter { result in result.grantedQoS.map { $0 < result.request.qos } ?? false }
        if !lowered.isEmpty { log(.notice, "subscriptions granted at a lower QoS", Self.summary(lowered)) }
        report("$bridge.subscribed", [("filters", String(results.count)), ("refused", String(refused.count))])
        context.readiness.subscribed(broker.name, refusal: refused.first)
    }

    /// The number of filters and the first three, since there may be thousands.
    private static func summary(_ results: [SubscriptionResult]) -> Logger.Metadata {
        let filters = results.prefix(3).map { escapedForLog($0.request.filter) }
        let rest = results.count > filters.count ? ", …" : ""
        return [
            LogKey.count: "\(results.count)", LogKey.filter: "\(filters.joined(separator: ", ") + rest)",
        ]
    }

    private func report(_ name: EventName, _ members: [(String, String)] = []) {
        context.reporter.report(name, broker: broker.name, members)
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata) {
        context.logger.log(level: level, message, metadata: metadata.merging([LogKey.broker: "\(broker.name)"]) { $1 })
    }
}

extension Duration {
    fileprivate var wholeSeconds: Int64 { components.seconds }
}

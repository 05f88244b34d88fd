import AsyncEventBus
import Logging
import Mosquitto

/// What happens to the connection, told on the bus and in the log.
extension Receiver {
    func client(noticed event: ClientEvent) {
        switch event {
        case .connected(let info): connected(info)
        case .disconnected(let error): disconnected(error)
        case .retrying(let error, let attempt, let pause): retrying(error, attempt: attempt, pause: pause)
        case .subscribed(let results): subscribed(results)
        case .sessionLost:
            log(.warning, "the broker has lost our session", [:])
            tell("$bridge.sessionlost")
        case .refused(let message, let error):
            refused(topic: message.topic, error)
        case .insecure(let text):
            log(.warning, "insecure connection", [LogKey.reason: "\(text)"])
        case .parked(let reason): parked(reason)
        case .resumed:
            log(.notice, "reading again", [:])
            tell("$bridge.resumed")
        }
    }

    /// We left the broker, which collects for our session meanwhile.
    private func parked(_ reason: ParkReason) {
        let text =
            switch reason {
            case .held where journal?.isFailing == true: "the store cannot be written"
            case .held: "the store is full"
            case .refused: "the store cannot be written"
            }
        log(.warning, "left the broker until the store takes messages again", [LogKey.reason: "\(text)"])
        tell("$bridge.parked", [("reason", JSONText.string(text))])
        context.readiness.lost(broker.name)
        journal?.disconnected(broker.name)
    }

    private func connected(_ info: ConnectionInfo) {
        journal?.connected(broker.name)
        log(.info, "connected", [LogKey.url: "\(info.url)", LogKey.session: info.sessionPresent ? "resumed" : "new"])
        var missing: [String] = []
        if !info.retainAvailable { missing.append("keeps no messages") }
        if !info.wildcardsAvailable { missing.append("knows no wildcards") }
        if info.maximumQoS < .exactlyOnce { missing.append("offers QoS \(info.maximumQoS.rawValue) at most") }
        if !missing.isEmpty {
            log(.notice, "the broker cannot do everything", [LogKey.reason: "\(missing.joined(separator: ", "))"])
        }
        tell(
            "$bridge.connected",
            [
                ("url", JSONText.string(info.url.description)), ("version", JSONText.string(info.version.rawValue)),
                ("session_present", String(info.sessionPresent)),
            ]
        )
    }

    private func disconnected(_ error: ClientError?) {
        journal?.disconnected(broker.name)
        context.readiness.lost(broker.name)
        if let error { log(.warning, "disconnected", [LogKey.reason: "\(error)"]) }
        let isHeld = journal?.pressure.isHeld(broker.name) ?? false
        tell(
            "$bridge.disconnected",
            [
                ("reason", JSONText.string(error.map { "\($0)" } ?? (isHeld ? "parked" : "shutting down"))),
                ("code", JSONText.string(error.map { "\($0.code)" } ?? (isHeld ? "parked" : "shutdown"))),
            ]
        )
    }

    /// The pauses are short where the broker is near; what is said about them comes at growing ones.
    private func retrying(_ error: ClientError, attempt: Int, pause: Duration) {
        guard attempt > 0, attempt & (attempt - 1) == 0 else { return }
        log(
            .warning,
            "cannot connect yet, trying on",
            [LogKey.reason: "\(error)", LogKey.attempt: "\(attempt)", LogKey.pause: "\(pause)"]
        )
    }

    private func subscribed(_ results: [SubscriptionResult]) {
        let refused = results.filter { !$0.reason.isSuccess }
        for result in refused {
            log(
                .error,
                "subscription refused",
                [LogKey.filter: "\(escapedForLog(result.request.filter))", LogKey.reason: "\(result.reason)"]
            )
            context.reporter.count(
                .refused,
                broker: broker.name,
                topic: result.request.filter,
                reason: "subscription: \(result.reason)"
            )
        }
        for result in results {
            guard let granted = result.grantedQoS, granted < result.request.qos else { continue }
            log(
                .notice,
                "subscription granted at a lower QoS",
                [LogKey.filter: "\(escapedForLog(result.request.filter))", LogKey.qos: "\(granted.rawValue)"]
            )
        }
        tell("$bridge.subscribed", [("filters", String(results.count)), ("refused", String(refused.count))])
        context.readiness.subscribed(broker.name, refusal: refused.first)
    }

    private func refused(topic: String, _ error: ClientError) {
        log(.error, "publish refused", [LogKey.topic: "\(escapedForLog(topic))", LogKey.reason: "\(error)"])
        context.reporter.count(.refused, broker: broker.name, topic: topic, reason: "\(error)")
    }

    private func tell(_ name: EventName, _ members: [(String, String)] = []) {
        context.reporter.tell(name, broker: broker.name, members)
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata) {
        context.logger.log(level: level, message, metadata: metadata.merging([LogKey.broker: "\(broker.name)"]) { $1 })
    }
}

/// The keys of what is logged.
enum LogKey {
    static let attempt = "attempt"
    static let broker = "broker"
    static let count = "count"
    static let deadLetters = "dead-letters"
    static let filter = "filter"
    static let inbound = "inbound"
    static let outbound = "outbound"
    static let pause = "pause"
    static let qos = "qos"
    static let reason = "reason"
    static let session = "session"
    static let topic = "topic"
    static let url = "url"
}

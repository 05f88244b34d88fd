/// Reports failures and overflows of receivers as events and in the log.
extension EventBus {
    func report(_ report: BusReport) {
        switch report {
        case .failed(let listener, let event, let error, let isTimeout):
            faults.count(.failed, listener: listener, event: event.name, text: error)
            let reason = isTimeout ? "timeout" : "error"
            emitReport(
                "$bus.failed",
                listener,
                event,
                error,
                [.init("reason", reason), .init("attempts", "\(event.attempt)")]
            )
        case .dropped(let receiver, let event, let number, let total):
            faults.count(.overflowed, listener: receiver, event: event.name, text: "", number: number)
            guard let total else { return }
            emitReport("$bus.dropped", receiver, event, "mailbox full", [.init("total", String(total))])
        }
    }

    private func emitReport(
        _ name: EventName,
        _ listener: String,
        _ event: Event,
        _ text: String,
        _ headers: [EventAttributes.Header]
    ) {
        guard !event.name.text.hasPrefix("$bus.") else { return }
        let subject: [EventAttributes.Header] = [
            .init("listener", listener), .init("event", event.name.text), .init("event-id", event.id.description),
        ]
        emit(name, Payload(text), attributes: EventAttributes(headers: subject + headers), scope: .local)
    }
}

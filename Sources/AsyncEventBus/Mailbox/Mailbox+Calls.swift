import Locking

/// The failure of a call of a listener.
struct CallFailure {
    let error: any Error
    /// Whether it is already reported.
    let isTold: Bool

    var isPermanent: Bool { (error as? any PermanentError)?.isPermanent ?? false }
}

extension Mailbox {
    /// Calls the listener. Returns the failure; if nil, the delivery is complete.
    func call(_ delivery: PendingDelivery) async -> CallFailure? {
        if let tracker = delivery.tracker {
            // The owner has withdrawn the later events, which must be delivered again after this one.
            if !tracker.isWithdrawn, tracker.marksStart { await tracker.willRun(attempt: delivery.event.attempt) }
            guard !tracker.isWithdrawn else {
                delivery.discard()
                return nil
            }
        }
        switch await ending(of: delivery) {
        case .returned:
            delivery.receipt?.didDeliver(error: nil)
            delivery.tracker?.ended(.finished)
            return nil
        case .threw(let error):
            return CallFailure(error: error, isTold: false)
        case .tookTooLong(let error):
            // The last attempt was reported at the end of its time limit.
            return CallFailure(error: error, isTold: isLastAttempt(delivery))
        }
    }

    private func ending(of delivery: PendingDelivery) async -> CallEnding {
        let event = delivery.event
        guard let limit = listener.timeout else {
            do {
                try await listener.body(event)
                return .returned
            } catch {
                return .threw(error)
            }
        }
        let ending = await TimedCall(body: listener.body, limit: limit, clock: context.clock).run(event) { error in
            self.state.withLock { $0.exceeded.append(error.moment) }
            if self.isLastAttempt(delivery) { self.report(event, error) }
        }
        if case .tookTooLong(let error) = ending {
            state.withLock { state in
                if let position = state.exceeded.firstIndex(of: error.moment) { state.exceeded.remove(at: position) }
            }
        }
        return ending
    }

    func isLastAttempt(_ delivery: PendingDelivery) -> Bool {
        delivery.event.attempt - (delivery.tracker?.uncounted ?? 0) >= listener.retry.attempts
    }

    func giveUp(_ delivery: PendingDelivery, _ failure: CallFailure) {
        delivery.receipt?.didDeliver(error: failure.error)
        delivery.tracker?.ended(.failed(error: "\(failure.error)", attempts: delivery.event.attempt))
        if !failure.isTold { report(delivery.event, failure.error) }
    }

    private func report(_ event: Event, _ error: any Error) {
        context.report(
            .failed(
                listener: listener.name,
                event: event,
                error: "\(error)",
                isTimeout: error is TimeLimitExceeded
            )
        )
    }
}

import Locking

/// How a call of a listener failed.
struct CallFailure {
    let error: any Error
    /// Whether it was reported when it happened.
    let isTold: Bool
}

/// One call of the listener.
extension Mailbox {
    /// Calls the listener. Returns what went wrong; if nothing did, the parcel is dealt with.
    func call(_ parcel: Parcel) async -> CallFailure? {
        if let tracker = parcel.tracker {
            // The owner has taken back the later events, which must come again behind this one.
            if !tracker.isWithdrawn, tracker.marksStart { await tracker.willRun(attempt: parcel.event.attempt) }
            guard !tracker.isWithdrawn else {
                parcel.discard()
                return nil
            }
        }
        switch await ending(of: parcel) {
        case .returned:
            parcel.receipt?.didDeliver(error: nil)
            parcel.tracker?.ended(.finished)
            return nil
        case .threw(let error):
            return CallFailure(error: error, isTold: false)
        case .tookTooLong(let error):
            // The last attempt was reported when its time was over.
            return CallFailure(error: error, isTold: isLastAttempt(parcel))
        }
    }

    private func ending(of parcel: Parcel) async -> CallEnding {
        let event = parcel.event
        guard let limit = listener.timeLimit else {
            do {
                try await listener.body(event)
                return .returned
            } catch {
                return .threw(error)
            }
        }
        let ending = await TimedCall(body: listener.body, limit: limit, clock: context.clock).run(event) { error in
            self.state.withLock { $0.exceeded.append(error.moment) }
            if self.isLastAttempt(parcel) { self.tell(event, error) }
        }
        if case .tookTooLong(let error) = ending {
            state.withLock { state in
                if let position = state.exceeded.firstIndex(of: error.moment) { state.exceeded.remove(at: position) }
            }
        }
        return ending
    }

    func isLastAttempt(_ parcel: Parcel) -> Bool {
        parcel.event.attempt - (parcel.tracker?.uncounted ?? 0) >= listener.retry.attempts
    }

    func giveUp(_ parcel: Parcel, _ failure: CallFailure) {
        parcel.receipt?.didDeliver(error: failure.error)
        parcel.tracker?.ended(.failed(error: "\(failure.error)", attempts: parcel.event.attempt))
        if !failure.isTold { tell(parcel.event, failure.error) }
    }

    private func tell(_ event: Event, _ error: any Error) {
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

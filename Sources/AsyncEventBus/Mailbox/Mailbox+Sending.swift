import Locking

extension Mailbox {
    func offerWhenRoom(_ delivery: PendingDelivery) async throws {
        try Task.checkCancellation()
        let key = key(of: delivery.event)
        delivery.receipt?.willDeliver()
        let (action, token) = state.withLock { state in
            state.nextToken += 1
            return (state.machine.sentWithRoom(delivery, key: key), state.nextToken)
        }
        switch action {
        case .queued(let startWorker):
            if startWorker { start() }
            return
        case .closed:
            delivery.receipt?.didDiscard()
            return
        case .suspended:
            break
        }
        do {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    enqueue(delivery, key: key, token: token, continuation: continuation)
                }
            } onCancel: {
                cancelSend(token)
            }
        } catch {
            delivery.receipt?.didDiscard()
            throw error
        }
    }

    private func enqueue(
        _ delivery: PendingDelivery,
        key: String?,
        token: UInt64,
        continuation: MailboxState<Machine>.Producer
    ) {
        let action = state.withLock { state in
            // Set before the check for room, so that a worker that makes room later sees it.
            producersChanged(areThere: true)
            let action = state.machine.sent(delivery, key: key, token: token)
            if case .suspended = action { state.producers[token] = continuation }
            producersChanged(areThere: state.machine.hasProducers)
            return action
        }
        switch action {
        case .queued(let startWorker):
            if startWorker { start() }
            continuation.resume()
        case .suspended:
            // A cancellation before the lock was taken found no token.
            if Task.isCancelled { cancelSend(token) }
        case .closed:
            delivery.receipt?.didDiscard()
            continuation.resume()
        }
    }

    private func cancelSend(_ token: UInt64) {
        // Returns the delivery too, to release it outside the lock.
        let cancelled = state.withLock { state in
            state.machine.sendCancelled(token: token).map { ($0, state.producers.removeValue(forKey: token)) }
        }
        cancelled?.1?.resume(throwing: CancellationError())
    }
}

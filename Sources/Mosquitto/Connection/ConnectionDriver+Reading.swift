/// Reading messages and delivering them.
extension ConnectionDriver {
    /// Reads until the socket is empty, the batch is full, or the turn is over: a flood from the broker must not keep
    /// the client from writing, taking orders and stopping.
    func drain(_ handle: LibraryHandle) -> LibraryCode {
        let limit = machine.readsCarefully ? 1 : Self.batchLimit
        var reads = Self.readLimit
        while handle.callbacks.messageCount < limit, handle.callbacks.payloadBytes < Self.batchBytes, reads > 0 {
            reads -= 1
            let before = handle.callbacks.progress
            let code = handle.read()
            guard code.isSuccess, handle.socket >= 0 else { return code }
            // The socket is empty, unless a read made progress: then the error comes from the library's wake-up socket
            // pair, which fills up because no thread reads it.
            if code.wouldBlock, handle.callbacks.progress == before {
                if !handle.isTurnOver { ping.caughtUp() }
                break
            }
        }
        return .success
    }

    /// Delivers the messages of a turn in one call. It splits them at the acknowledgement of a retained publish if a
    /// message on the same topic follows: the receiver must learn which of the two the broker accepted last.
    func deliver(_ callbacks: CallbackBuffer, at now: ContinuousClock.Instant) -> ReceiveDecision {
        guard callbacks.messageCount > 0 else { return .acknowledge }
        let messages = callbacks.takeMessages()
        let cuts = window.answersToStates(callbacks.completed, before: messages)
        guard !cuts.isEmpty else { return hand(messages) }
        var (began, answered) = (0, 0)
        defer { callbacks.completed.removeFirst(answered) }
        for index in cuts {
            let position = callbacks.completed[index].position
            guard began == position || hand(Array(messages[began..<position])) == .acknowledge else { return .refuse }
            began = position
            completePublications(Array(callbacks.completed[answered...index]), at: now)
            answered = index + 1
        }
        return hand(Array(messages[began...]))
    }

    private func hand(_ messages: consuming [Message]) -> ReceiveDecision {
        let resumptions = storage.resumptions
        let decision = storage.delegate.client(client, received: messages)
        if decision == .refuse { storage.refused(resumptions: resumptions) } else { owesAcknowledgements = true }
        return decision
    }
}

/// Sending one message at a time, after connections that ended at a message or a subscription.
extension ConnectionDriver {
    /// The earliest time for the next message of that QoS; nil while the client must wait for an event first.
    func mayPublish(_ qos: QoS) -> ContinuousClock.Instant? {
        guard window.hasRoom(for: qos) else { return nil }
        guard suspicion.isCareful else { return conversation.opened }
        guard window.isEmpty, probe == nil, subscriptions.isSettled else { return nil }
        return conversation.opened + suspicion.quietTime
    }

    /// How many messages the client may send now while it sends one at a time.
    func carefulRoom(at now: ContinuousClock.Instant) -> Int {
        guard let time = mayPublish(.atMostOnce), time <= now else { return 0 }
        return 1
    }

    /// The QoS 0 message counts as accepted.
    func endProbe() {
        guard let publication = probe?.publication else { return }
        probe = nil
        storage.complete([(publication, .success)])
        suspicion.passed(1)
    }

    // MARK: The end of a connection

    /// A connection has ended that the client did not end.
    func lose(_ handle: LibraryHandle, _ code: LibraryCode, at now: ContinuousClock.Instant) {
        complete(handle.callbacks, at: now)
        lose(handle, ending(handle, code), at: now)
    }

    func lose(_ handle: LibraryHandle, _ error: ClientError, at now: ContinuousClock.Instant) {
        var error = error
        forgetStalls()
        var underWay = window.lost()
        let isStopping = storage.isStopping
        var blame = Blame.none
        if !isStopping { blame = findBlame(&error, &underWay, at: now) }
        endProbe()
        storage.putBack(underWay)
        subscriptions.connectionLost()
        if isStopping {
            phase = .ended(.success(()))
            return
        }
        let end = ReconnectStateMachine.End(
            didWork: conversation.didWork || blame == .found,
            isExplained: blame != .none
        )
        let action = machine.connectionLost(error, end, at: now, using: &generator)
        switch action {
        // `run()` reports the final end, with its error.
        case .stop: break
        case .pause(_, _, _, let cause): notice(.disconnected(cause))
        case .connect: notice(.disconnected(error))
        }
        perform(action)
    }

    private func ending(_ handle: LibraryHandle, _ code: LibraryCode) -> ClientError {
        let operation = "stay connected to \(machine.broker)"
        if let breach = handle.breach { return breach.error(operation) }
        switch handle.callbacks.disconnectReason {
        case .sessionTakenOver?: return .takenOver(by: "the broker says so", reason: .sessionTakenOver)
        case let reason?: return ClientError(.rejected, operation: operation, reason: reason)
        case nil: break
        }
        let error = code.isSuccess ? LibraryCode.hangUp.connectionError(operation) : code.connectionError(operation)
        guard error.code == .connectionLost else { return error }
        return ClientError(
            .connectionLost,
            operation: operation,
            detail: "\(error.detail); the last packet sent was \(conversation.lastPacket)"
        )
    }

    /// Whether a packet of the client caused the end of the connection.
    private enum Blame {
        case none, possible, found
    }

    /// Decides whether a message or a subscription in flight caused the end, and gives up the culprit.
    private func findBlame(
        _ error: inout ClientError,
        _ underWay: inout [Publication],
        at now: ContinuousClock.Instant
    ) -> Blame {
        if error.code == .protocolError, exactlyOnce.blames(underWay) {
            guard exactlyOnce.ended() else { return .possible }
            notice(.degraded("the broker does not follow the protocol at QoS 2: publishing at QoS 1 from now on"))
            return .found
        }
        if conversation.opened.duration(to: now) >= ReconnectStateMachine.soundLife { subscriptions.forgive() }
        guard error.code == .connectionLost || error.reason?.mayBlameMessage == true else { return .none }
        let sinceSent = conversation.sinceSent(at: now)
        if !subscriptions.unanswered.isEmpty {
            guard let filter = subscriptions.hungUp(isPrompt: sinceSent <= SubscribeSuspicion.prompt) else {
                return subscriptions.suspicion.isCareful ? .possible : .none
            }
            error = error.because(.closedAtSubscription(filter, reason: error.reason))
            return .found
        }
        _ = subscriptions.hungUp(isPrompt: false)
        let written = suspicion.isCareful ? probe?.publication : conversation.endsAtUnanswered(at: now)
        var candidates = underWay
        if let written, !underWay.contains(where: { $0 === written }) { candidates.append(written) }
        if candidates.isEmpty, conversation.endsAtAnswer(at: now) { return .possible }
        let end = HangUpSuspicion.End(underWay: candidates, sinceSent: sinceSent, reason: error.reason)
        guard let culprit = suspicion.ended(end) else { return candidates.isEmpty ? .none : .possible }
        if probe?.publication === culprit { probe = nil }
        underWay.removeAll { $0 === culprit }
        let cause = ClientError.closedByBroker(culprit, reason: error.reason)
        refuse(culprit, cause)
        error = error.because(cause)
        return .found
    }
}

import Logging

/// Connecting, from the name look-up to CONNACK.
extension ConnectionDriver {
    func perform(_ action: ReconnectStateMachine.Action) {
        switch action {
        case .connect(let target):
            if let reason = storage.holdState(at: clock.now).reasonNotToConnect, !storage.isStopping {
                park(reason)
                return
            }
            let url = storage.brokers[target.broker]
            let plan = ConnectPlan(url: url, address: target.address, options: storage.options)
            if machine.isFirstRound, target.address == 0 { warnIfInsecure(url) }
            // While the look-up of an abandoned attempt hangs, this attempt cannot begin, and times out.
            _ = connector.begin(plan)
            stalls.owes(.nameLookup, at: clock.now)
            phase = .opening(deadline: clock.now + storage.options.timeouts.connect)
        case .pause(let until, let length, let attempt, let error):
            phase = .pausing(until: until)
            notice(.retrying(error, attempt: attempt, pause: length))
        case .stop(let error):
            phase = .ended(.failure(error))
        }
    }

    /// Call it before the password is sent.
    private func warnIfInsecure(_ url: BrokerURL) {
        if url.transport == .tcp, !url.isLocal, storage.options.password != nil {
            notice(.insecure("\(url): the password crosses the network unencrypted; use mqtts://"))
        }
    }

    func checkOpening(_ deadline: ContinuousClock.Instant) {
        switch connector.take() {
        case .success(let opened):
            isSocketConnected = machine.broker.transport == .unix
            hasAnswered = false
            addresses = opened.addresses
            answered(.nameLookup, nowOwes: isSocketConnected ? .connack : .connect)
            phase = .handshaking(opened.handle, deadline: deadline)
        case .failure(let failure):
            fail(failure.error, addresses: failure.addresses)
        case nil where clock.now >= deadline:
            connector.abandon()
            fail(timedOut("no answer from the name service"), addresses: nil)
        case nil:
            if let error = lookForStalls(nil, at: clock.now) { fail(error, addresses: nil) }
        }
    }

    func shakeHands(
        _ handle: LibraryHandle,
        _ ready: Poller.Readiness,
        _ deadline: ContinuousClock.Instant
    ) {
        let operation = "connect to \(machine.broker)"
        if !isSocketConnected, ready.writable || ready.failed || ready.readable {
            if let systemError = handle.takeSocketError() {
                let code = LibraryCode(rawValue: 0, systemError: systemError)
                fail(handle.connectError(code, operation, host: machine.broker.host), addresses: addresses)
                return
            }
            isSocketConnected = true
            answered(.connect, nowOwes: .connack)
        }
        if isSocketConnected {
            if !hasAnswered, machine.broker.transport != .tls {
                let bytes = handle.peek()
                hasAnswered = !bytes.isEmpty
                if let error = ForeignAnswer.error(bytes, operation: operation) {
                    fail(error, addresses: addresses)
                    return
                }
            }
            // Reads and writes, whatever the socket is ready for: the read drives the TLS handshake. Reads first: after
            // a failed write, the last packet of a broker that hung up can no longer be read. Does not read bytes that
            // arrived after `peek()`.
            let mayRead = hasAnswered || handle.isTLS || ready.readable || ready.failed
            var code = mayRead ? handle.read() : .success
            if code.isSuccess, !code.isBroken, handle.callbacks.connack == nil { code = handle.write() }
            if let connack = handle.callbacks.connack {
                accept(connack, handle)
                return
            }
            if !code.isSuccess || (handle.isTLS && code.isBroken) {
                let error = handle.connectError(code, operation, host: machine.broker.host)
                fail(error.unanswered(storage.options, by: machine.broker), addresses: addresses)
                return
            }
        }
        let now = clock.now
        if let error = lookForStalls(handle, at: now) {
            fail(
                isSocketConnected ? error.unanswered(storage.options, by: machine.broker) : error,
                addresses: addresses
            )
            return
        }
        guard now >= deadline else { return }
        let error = timedOut(isSocketConnected ? "no answer from the broker" : "no connection")
        fail(isSocketConnected ? error.unanswered(storage.options, by: machine.broker) : error, addresses: addresses)
    }

    private func timedOut(_ detail: String) -> ClientError {
        ClientError(
            .timedOut,
            operation: "connect to \(machine.broker)",
            detail: "\(detail) within \(storage.options.timeouts.connect)"
        )
    }

    private func fail(_ error: ClientError, addresses: Int?) {
        forgetStalls()
        if error.mayDifferByAddress {
            suspicion.brokerWasAway()
            session.brokerWasAway()
            subscriptions.forgive()
        }
        perform(machine.attemptFailed(error, addresses: addresses, at: clock.now, using: &generator))
    }

    private func accept(_ connack: CallbackBuffer.Connack, _ handle: LibraryHandle) {
        guard connack.reason.isSuccess else {
            let will = storage.options.will
            fail(.refusedConnection("connect to \(machine.broker)", connack, will: will), addresses: nil)
            return
        }
        handle.endComplaints()
        handle.callbacks.connack = nil
        connectionRecovered()
        if handle.dropsIdleBuffers() {
            storage.logger.notice("libmosquitto bypasses the socket buffers; this connection works without them")
        }
        let finding = session.connected(isPresent: connack.sessionPresent)
        machine.connected(at: clock.now, isSessionLost: finding == .lost)
        let limit = Int(min(storage.options.limits.inFlightWindow, connack.receiveMaximum ?? .max))
        window = InFlightWindow(limit: max(1, limit), version: handle.version)
        nextKeepAlive = clock.now + Library.untilNextSecond
        conversation = Conversation(opened: clock.now)
        retainAvailable = connack.retainAvailable
        hasIdentifiers = connack.subscriptionIdentifiersAvailable
        phase = .live(handle)
        (ping, owesAcknowledgements, isEndReported) = (KeepAliveWatch(), false, false)
        if handle.isTLS, storage.options.tls.dangerouslySkipVerification {
            notice(.insecure("\(machine.broker): its certificate is not verified; anybody could be the broker"))
        }
        notice(.connected(ConnectionInfo(connack, machine.broker, handle.version, window: limit)))
        switch finding {
        case .asExpected: break
        case .lost: notice(.sessionLost)
        case .keepsNone:
            notice(.degraded("the broker keeps no sessions: messages sent while this client is disconnected are lost"))
        }
        if handle.version == .v5, !hasIdentifiers, subscriptions.marksKept {
            notice(
                .degraded("the broker has no subscription identifiers: the retain flag of live messages is unknown")
            )
        }
        if let birth = storage.options.will?.birth { announce(birth, handle) }
        subscriptions.connectionOpened(isSessionPresent: connack.sessionPresent)
        sendSubscriptions(handle)
    }
}

import Logging

/// Drives one client's connections: all that happens on its thread.
///
/// Not sendable, made on the thread and never leaving it: the compiler proves that no other thread touches the handle.
final class Link {
    enum Phase {
        case pausing(until: ContinuousClock.Instant)
        case opening(deadline: ContinuousClock.Instant)
        case handshaking(LibraryHandle, deadline: ContinuousClock.Instant)
        case live(LibraryHandle)
        case parking(ParkReason)
        case parked
        case ended(Result<Void, ClientError>)
    }

    /// The most messages that are read before they are handed over and acknowledged.
    static let batchLimit = 256
    /// Their payloads, in bytes: a batch of large messages is in memory at once.
    static let batchBytes = 262_144
    /// The most messages that are given to the library before they are written.
    static let flushLimit = 256

    let storage: ClientStorage
    let clock = ContinuousClock()
    var machine: LinkStateMachine
    var subscriptions: SubscriptionRegistry
    var window = InFlightWindow(limit: 1)
    var phase: Phase = .pausing(until: .now)
    let poller: Poller
    let connector: Connector
    private var generator = SystemRandomNumberGenerator()
    private var nextKeepAlive = ContinuousClock.Instant.now
    private var ping = PingWatch()
    /// Whether messages were handed over and what answers them is not written yet.
    var owesAcknowledgements = false
    /// Whether the end of the last connection was told as one that we wanted.
    var hasToldEnd = false
    var drainDeadline: ContinuousClock.Instant?
    private var hadSession = false
    /// Whether the socket of the handshake is known to be connected.
    private var isSocketConnected = false

    init(storage: ClientStorage) {
        self.storage = storage
        machine = LinkStateMachine(
            brokers: storage.brokers,
            policy: storage.options.backoff,
            persistence: storage.options.persistence
        )
        subscriptions = SubscriptionRegistry(storage.initialSubscriptions)
        poller = Poller(waker: storage.waker)
        connector = Connector(waker: storage.waker)
    }

    /// Connects and stays connected until the client is shut down or going on makes no sense.
    func run() -> Result<Void, ClientError> {
        perform(machine.started())
        while true {
            if case .ended(let result) = phase {
                subscriptions.ended()
                storage.end()
                if !hasToldEnd || result.failure != nil { notice(.disconnected(result.failure)) }
                return result
            }
            turn()
        }
    }

    /// One turn: wait, then do what there is to do.
    private func turn() {
        let handle = currentHandle
        let begin = clock.now
        let before = storage.wishes(at: begin)
        let isReading = isReading(before.hold)
        // What was received already does not make the socket readable.
        let isBuffered = isReading && handle?.hasBuffered ?? false
        var ready = poller.wait(
            socket: handle?.socket ?? -1,
            wantsRead: isReading,
            wantsWrite: handle.map(needsWriting) ?? false,
            timeout: isBuffered ? .zero : timeout(before, at: begin)
        )
        ready.readable = ready.readable || isBuffered
        let now = clock.now
        let (orders, wishes) = storage.takeOrders(at: now)
        orders.forEach(carryOut)
        let hold = wishes.hold
        switch phase {
        case .pausing(let until):
            if wishes.isStopping {
                end()
            } else if let reason = hold.parkReason {
                park(reason)
            } else if now >= until {
                perform(machine.pauseEnded())
            }
        case .opening(let deadline):
            if wishes.isStopping { end() } else { checkOpening(deadline) }
        case .handshaking(let handle, let deadline):
            if wishes.isStopping { end() } else { shakeHands(handle, ready, deadline) }
        case .live(let handle):
            if let reason = hold.parkReason, !wishes.isStopping {
                park(handle, reason)
            } else {
                serve(handle, ready, wishes, at: now)
            }
        case .parking(let reason):
            tellParked(reason)
        case .parked:
            if wishes.isStopping { phase = .ended(.success(())) } else if hold == .free { unpark() }
        case .ended:
            break
        }
    }

    /// Whether what arrives is read: not during a hold, except for what makes a connection.
    private func isReading(_ hold: HoldStateMachine.State) -> Bool {
        guard case .live = phase else { return true }
        return hold == .free
    }

    private var currentHandle: LibraryHandle? {
        switch phase {
        case .handshaking(let handle, _), .live(let handle): handle
        default: nil
        }
    }

    private func needsWriting(_ handle: LibraryHandle) -> Bool {
        if case .handshaking = phase, !isSocketConnected { return true }
        return handle.wantsWrite
    }

    private func timeout(_ wishes: ClientStorage.Wishes, at now: ContinuousClock.Instant) -> Duration {
        switch phase {
        case .opening(let deadline), .handshaking(_, let deadline):
            return now.duration(to: deadline)
        case .pausing(let deadline):
            return now.duration(to: min(deadline, wishes.hold.deadline ?? deadline))
        case .live(let handle):
            // Messages that came in one record with CONNACK.
            if handle.inbox.messageCount > 0 { return .zero }
            if let qos = wishes.nextQoS, window.hasRoom(for: qos) { return .zero }
            var deadline = nextKeepAlive
            if let drainDeadline { deadline = min(deadline, drainDeadline) }
            if let end = wishes.hold.deadline { deadline = min(deadline, end) }
            return now.duration(to: deadline)
        case .parked:
            return wishes.hold == .free ? .zero : .seconds(60)
        case .parking, .ended:
            return .zero
        }
    }

    // MARK: Making a connection

    func perform(_ action: LinkStateMachine.Action) {
        switch action {
        case .connect(let target):
            if let reason = storage.holdState(at: clock.now).reasonNotToConnect, !storage.isStopping {
                park(reason)
                return
            }
            let url = storage.brokers[target.broker]
            let plan = ConnectPlan(url: url, address: target.address, options: storage.options)
            if machine.isFirstRound, target.address == 0 { warnIfInsecure(url) }
            // As long as the look-up of an attempt that was given up hangs, this one waits in vain for its time.
            _ = connector.begin(plan)
            phase = .opening(deadline: clock.now + storage.options.connectTimeout)
        case .pause(let until, let length, let attempt, let error):
            phase = .pausing(until: until)
            notice(.retrying(error, attempt: attempt, pause: length))
        case .stop(let error):
            phase = .ended(.failure(error))
        }
    }

    /// Before the password is sent.
    private func warnIfInsecure(_ url: BrokerURL) {
        if url.transport == .tcp, !url.isLocal, storage.options.password != nil {
            notice(.insecure("\(url): the password travels in clear to another machine; use mqtts://"))
        }
    }

    private func checkOpening(_ deadline: ContinuousClock.Instant) {
        switch connector.take() {
        case .success(let opened):
            isSocketConnected = machine.broker.transport == .unix
            addresses = opened.addresses
            phase = .handshaking(opened.handle, deadline: deadline)
        case .failure(let failure):
            fail(failure.error, addresses: failure.addresses)
        case nil where clock.now >= deadline:
            connector.abandon()
            fail(timedOut("the host name was not looked up in time"), addresses: nil)
        case nil:
            break
        }
    }

    /// How many addresses the host of the attempt has.
    private var addresses: Int?

    private func shakeHands(
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
        }
        if isSocketConnected {
            // Both, whatever the socket is ready for: it is the read that drives the handshake of TLS. The read first:
            // what a broker said before it hung up cannot be read once a write has failed.
            var code = handle.read()
            if code.isSuccess, !code.isBroken, handle.inbox.connack == nil { code = handle.write() }
            if let connack = handle.inbox.connack {
                accept(connack, handle)
                return
            }
            if !code.isSuccess || (handle.isTLS && code.isBroken) {
                fail(handle.connectError(code, operation, host: machine.broker.host), addresses: addresses)
                return
            }
        }
        guard clock.now >= deadline else { return }
        fail(timedOut(isSocketConnected ? "no answer from the broker" : "no connection"), addresses: addresses)
    }

    private func timedOut(_ detail: String) -> ClientError {
        ClientError(
            .timedOut,
            operation: "connect to \(machine.broker)",
            detail: "\(detail) within \(storage.options.connectTimeout)"
        )
    }

    private func fail(_ error: ClientError, addresses: Int?) {
        perform(machine.attemptFailed(error, addresses: addresses, at: clock.now, using: &generator))
    }

    private func accept(_ connack: HandleInbox.Connack, _ handle: LibraryHandle) {
        guard connack.reason.isSuccess else {
            fail(.refusedConnection("connect to \(machine.broker)", connack, machine.broker), addresses: nil)
            return
        }
        handle.endComplaints()
        handle.inbox.connack = nil
        if handle.dropsIdleBuffers() {
            storage.logger.notice("libmosquitto reads past the buffers, going on without", metadata: [:])
        }
        machine.connected(at: clock.now, isSessionLost: hadSession && !connack.sessionPresent)
        let limit = Int(min(storage.options.inFlightWindow, connack.receiveMaximum ?? .max))
        window = InFlightWindow(limit: max(1, limit), version: handle.version)
        nextKeepAlive = clock.now + Library.untilNextSecond
        phase = .live(handle)
        (ping, owesAcknowledgements, hasToldEnd) = (PingWatch(), false, false)
        if handle.isTLS, storage.options.tls.dangerouslySkipVerification {
            notice(.insecure("\(machine.broker): its certificate is not verified; anybody could be the broker"))
        }
        notice(.connected(ConnectionInfo(connack, machine.broker, handle.version, window: limit)))
        if hadSession, !connack.sessionPresent { notice(.sessionLost) }
        hadSession = storage.options.sessionExpiry > .zero
        subscriptions.connectionOpened()
        sendSubscriptions(handle)
    }

    // MARK: A live connection

    private func serve(
        _ handle: LibraryHandle,
        _ ready: Poller.Readiness,
        _ wishes: ClientStorage.Wishes,
        at now: ContinuousClock.Instant
    ) {
        var code = LibraryCode.success
        if wishes.hold != .free {
            ping.held()
            // What it sent before waits unread, and nothing of that was acknowledged.
            if ready.failed { code = .hangUp }
        } else if ready.readable || ready.failed {
            code = drain(handle)
        }
        let received = handle.inbox.messageCount
        guard deliver(handle.inbox) == .acknowledge else {
            park(handle, .refused)
            return
        }
        // The barrier: only now may the acknowledgements of what was handed over leave.
        if code.isSuccess, handle.socket >= 0 { code = write(handle, received: received) }
        if code.isSuccess, handle.socket >= 0, !handle.wantsWrite { tellAcknowledged() }
        complete(handle.inbox)
        if code.isSuccess, now >= nextKeepAlive {
            nextKeepAlive = clock.now + Library.untilNextSecond
            if !ping.isAnswerHeldBack { code = keepAlive(handle) }
        }
        if handle.inbox.disconnectReason != nil || !code.isSuccess || handle.socket < 0 {
            lose(handle, code)
        } else if wishes.isStopping {
            drainOut(handle, isReading: wishes.hold == .free)
        }
    }

    private func keepAlive(_ handle: LibraryHandle) -> LibraryCode {
        let hadToWrite = handle.wantsWrite
        let code = handle.keepAlive()
        guard code.isSuccess, handle.wantsWrite else { return code }
        if !hadToWrite { ping.sent() }
        return handle.write()
    }

    /// Reads until the socket is empty, or a batch is full.
    private func drain(_ handle: LibraryHandle) -> LibraryCode {
        let limit = machine.readsCarefully ? 1 : Self.batchLimit
        while handle.inbox.messageCount < limit, handle.inbox.payloadBytes < Self.batchBytes {
            let before = handle.inbox.progress
            let code = handle.read()
            guard code.isSuccess, handle.socket >= 0 else { return code }
            // Nothing more, unless something was read after all: then the error is an echo of the library's wake-up
            // socket, which fills up since nobody reads it.
            if code.wouldBlock, handle.inbox.progress == before {
                ping.caughtUp()
                break
            }
        }
        return .success
    }

    private func deliver(_ inbox: HandleInbox) -> Intake {
        guard inbox.messageCount > 0 else { return .acknowledge }
        let resumptions = storage.resumptions
        let intake = storage.delegate.client(received: inbox.takeMessages())
        if intake == .refuse { storage.refused(resumptions: resumptions) } else { owesAcknowledgements = true }
        return intake
    }

    private func lose(_ handle: LibraryHandle, _ code: LibraryCode) {
        complete(handle.inbox)
        let operation = "stay connected to \(machine.broker)"
        let error: ClientError =
            switch handle.inbox.disconnectReason {
            case .sessionTakenOver?: .takenOver(by: "the broker says so", reason: .sessionTakenOver)
            case let reason?: ClientError(.rejected, operation: operation, reason: reason)
            case nil where code.isSuccess: ClientError(.connectionLost, operation: operation)
            case nil: code.connectionError(operation)
            }
        storage.putBack(window.lost())
        subscriptions.connectionLost()
        if storage.isStopping {
            phase = .ended(.success(()))
            return
        }
        let action = machine.connectionLost(error, at: clock.now, using: &generator)
        // An end for good is told by `run()`, with the error that it ends with.
        if case .stop = action {} else { notice(.disconnected(error)) }
        perform(action)
    }

    func notice(_ event: ClientEvent) {
        storage.delegate.client(noticed: event)
    }
}

extension Result where Success == Void, Failure == ClientError {
    fileprivate var failure: ClientError? {
        if case .failure(let error) = self { error } else { nil }
    }
}

import Logging

/// Runs the connections of one client, on the thread of the client.
///
/// Not sendable: created on the thread, it never leaves it. So the compiler proves that no other thread uses the
/// handle.
final class ConnectionDriver {
    enum Phase {
        case pausing(until: ContinuousClock.Instant)
        case opening(deadline: ContinuousClock.Instant)
        case handshaking(LibraryHandle, deadline: ContinuousClock.Instant)
        case live(LibraryHandle)
        case parking(ParkReason)
        case parked
        case ended(Result<Void, ClientError>)
    }

    /// The most messages in one batch: read, handed over, then acknowledged.
    static let batchLimit = 256
    /// The size limit of a batch, in bytes of payload: the whole batch is in memory at once.
    static let batchBytes = 262_144
    /// The most reads in one turn. Each consumes at least one packet.
    static let readLimit = 1_024
    /// The most messages that the library gets before they are written.
    static let flushLimit = 256

    /// The client, for the delegate.
    let client: Client
    let storage: ClientStorage
    let clock = ContinuousClock()
    var machine: ReconnectStateMachine
    var subscriptions: SubscriptionRegistry
    var window = InFlightWindow(limit: 1)
    var phase: Phase = .pausing(until: .now)
    let poller: Poller
    let connector: Connector
    var generator = SystemRandomNumberGenerator()
    var nextKeepAlive = ContinuousClock.Instant.now
    var ping = KeepAliveWatch()
    var stalls: StallWatch
    /// The packet identifier of the outstanding stall probe.
    var stallProbe: Int32?
    var nextStallLook = ContinuousClock.Instant.now
    /// Whether acknowledgements of delivered messages are still unwritten.
    var owesAcknowledgements = false
    /// Whether the delegate knows of the end of the last connection, because the client ended it to park.
    var isEndReported = false
    var drainDeadline: ContinuousClock.Instant?
    var conversation = Conversation(opened: .now)
    var suspicion = HangUpSuspicion()
    /// A QoS 0 message that was sent alone, and when it counts as accepted.
    var probe: (publication: Publication, until: ContinuousClock.Instant)?
    var exactlyOnce = ExactlyOnceWatch()
    var retainAvailable = true
    var hasIdentifiers = true
    var session: SessionWatch
    var isSocketConnected = false
    /// Whether the broker of the attempt has sent bytes.
    var hasAnswered = false
    /// The number of addresses of the attempt's host.
    var addresses: Int?

    init(client: Client) {
        self.client = client
        storage = client.storage
        machine = ReconnectStateMachine(
            brokers: storage.brokers,
            policy: storage.options.reconnect.backoff,
            persistence: storage.options.reconnect.persistence
        )
        subscriptions = SubscriptionRegistry(
            storage.initialSubscriptions,
            former: storage.options.session.formerFilters,
            keepsSession: storage.options.session.expiry > .zero
        )
        stalls = StallWatch(timeout: storage.options.timeouts.stall)
        session = SessionWatch(
            isWanted: storage.options.session.expiry > .zero,
            isExpected: storage.options.session.isExpected
        )
        poller = Poller(waker: storage.waker)
        connector = Connector(waker: storage.waker)
    }

    /// Connects and stays connected until the client is shut down or a retry cannot help.
    func run() -> Result<Void, ClientError> {
        PacketGate.warnOnce(storage.logger)
        perform(machine.started())
        while true {
            if case .ended(let result) = phase {
                subscriptions.ended()
                storage.end()
                if !isEndReported || result.failure != nil { notice(.disconnected(result.failure)) }
                storage.delegate.clientEnded(client)
                return result
            }
            turn()
        }
    }

    /// One turn of the loop: wait, then serve the current phase.
    private func turn() {
        let handle = currentHandle
        let begin = clock.now
        let before = storage.wishes(at: begin)
        let isReading = isReading(before.hold) && !(handle?.owesTooMuch ?? false)
        // Bytes in the read buffer do not make the socket readable.
        let isBuffered = isReading && handle?.hasBuffered ?? false
        var ready = poller.wait(
            socket: handle?.socket ?? -1,
            wantsRead: isReading,
            wantsWrite: handle.map(needsWriting) ?? false,
            timeout: isBuffered ? .zero : timeout(before, at: begin)
        )
        ready.readable = ready.readable || isBuffered
        handle?.beginTurn()
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
            reportParked(reason)
        case .parked:
            if wishes.isStopping { phase = .ended(.success(())) } else if hold == .free { unpark() }
        case .ended:
            break
        }
    }

    private func serve(
        _ handle: LibraryHandle,
        _ ready: Poller.Readiness,
        _ wishes: ClientStorage.Wishes,
        at now: ContinuousClock.Instant
    ) {
        var code = LibraryCode.success
        if wishes.hold != .free {
            ping.held()
            stalls.held(at: now)
            // The broker's earlier packets stay unread and unacknowledged.
            if ready.failed { code = .hangUp }
        } else if ready.readable || ready.failed {
            code = drain(handle)
        }
        let received = handle.callbacks.messageCount
        if received > 0 { conversation.received(isReplay: !conversation.didWork && handle.callbacks.holdsReplaysOnly) }
        guard deliver(handle.callbacks, at: now) == .acknowledge else {
            park(handle, .refused)
            return
        }
        // The write barrier: the acknowledgements of delivered messages leave only now.
        if code.isSuccess, handle.socket >= 0 { code = write(handle, received: received, at: now) }
        if code.isSuccess, handle.socket >= 0, !handle.wantsWrite {
            handle.answersWritten()
            reportAcknowledgementsWritten()
        }
        complete(handle.callbacks, at: now)
        if let probe, now >= probe.until { endProbe() }
        if !subscriptions.isSettled { sendSubscriptions(handle) }
        if wishes.hold == .free { noteProgress(handle, ready, at: now) }
        if code.isSuccess, now >= nextKeepAlive {
            nextKeepAlive = clock.now + Library.untilNextSecond
            if !ping.isAnswerHeldBack { code = keepAlive(handle) }
        }
        if handle.callbacks.disconnectReason != nil || !code.isSuccess || handle.socket < 0 {
            lose(handle, code, at: clock.now)
        } else if let error = lookForStalls(handle, at: now) {
            lose(handle, error, at: clock.now)
        } else if wishes.isStopping {
            drainOut(handle, isReading: wishes.hold == .free)
        }
    }

    private func keepAlive(_ handle: LibraryHandle) -> LibraryCode {
        let hadToWrite = handle.wantsWrite
        let code = handle.keepAlive()
        guard code.isSuccess, handle.wantsWrite else { return code }
        if !hadToWrite {
            ping.sent()
            stalls.owes(.pingresp, at: clock.now)
        }
        return handle.write()
    }

    func notice(_ event: ClientEvent) {
        storage.delegate.client(client, noticed: event)
    }
}

extension Result where Success == Void, Failure == ClientError {
    fileprivate var failure: ClientError? {
        if case .failure(let error) = self { error } else { nil }
    }
}

internal import Logging
internal import MQTTBridge
package import Mosquitto
internal import Locking

/// What takes the place of ``Mosquitto/Client``: a bounded queue, a window, batches of messages whose acknowledgements leave
/// after the delegate has taken them, connections that are cut and made again.
///
/// As the real one it calls its delegate from a thread of its own: a source of the simulation. Calls from elsewhere only
/// change what it does next.
// SAFETY: used by the one thread of the simulation.
package final class SimulatedClient: BrokerClient, @unchecked Sendable {
    private enum Phase {
        case new, connecting, connected, parked, ended
    }

    private struct Publication {
        let message: Message
        let completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    }

    private static let capacity = 200
    private static let window = 20

    let id: String
    let keepsSession: Bool
    private let loop: EventLoop
    private let broker: SimulatedBroker
    private let process: SimulatedProcess
    private let source: Int
    private let info: (url: BrokerURL, version: ProtocolVersion)
    private let subscriptions: [SubscriptionRequest]
    private let former: [String]
    private let delegate: any ClientDelegate
    /// What the delegate hears of as the client; it never runs.
    private let identity: Client
    private var phase = Phase.new
    /// Grows with each connection: what was meant for an earlier one is no longer done.
    private var connection = 0
    private var queue: [Publication] = []
    private var inFlight: [Publication] = []
    /// How many messages were handed over whose acknowledgements have not left.
    private var owed = 0
    private var isHeld = false
    private var isStopping = false
    private var ending: CheckedContinuation<Void, Never>?
    private let room = Locked(Waiters<Void>())

    init(
        _ broker: Broker,
        _ subscriptions: [SubscriptionRequest],
        _ delegate: any ClientDelegate,
        at simulated: SimulatedBroker,
        of process: SimulatedProcess,
        _ loop: EventLoop
    ) throws {
        id = broker.options.clientID
        keepsSession = broker.options.session.expiry > .zero
        info = (broker.urls[0], broker.options.version)
        former = broker.options.session.formerFilters
        self.subscriptions = subscriptions
        self.delegate = delegate
        identity = try Client(brokers: broker.urls, delegate: delegate, logger: Logger(label: "simulation"))
        self.loop = loop
        self.broker = simulated
        self.process = process
        source = loop.makeSource()
        process.owner.add(source)
    }

    // MARK: BrokerClient

    package func run() async throws {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                ending = continuation
                later { $0.connect() }
            }
        } onCancel: {
            later { $0.stop() }
        }
    }

    package func enqueue(
        checked message: consuming Message,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    ) throws(ClientError) {
        guard phase != .ended else { throw ClientError(.notRunning, operation: "publish") }
        guard queue.count < Self.capacity else { throw ClientError(.queueFull, operation: "publish") }
        queue.append(Publication(message: message, completion: completion))
        later { $0.publish() }
    }

    package func waitForRoom(for message: Message) async throws {
        try await room.wait(for: (), in: \.self) { [self] _, _ in
            queue.count < Self.capacity || phase == .ended ? .success(()) : nil
        }
    }

    package func hold() {
        isHeld = true
        // Held for too long it leaves the broker.
        later(after: .seconds(5)) { client in
            if client.isHeld, client.phase == .connected, !client.isStopping { client.park(.held) }
        }
    }

    package func resume() {
        isHeld = false
        later { client in
            if client.phase == .parked {
                client.delegate.client(client.identity, noticed: .resumed)
                client.connect()
            } else {
                client.read()
            }
        }
    }

    package func limitDrain(until deadline: ContinuousClock.Instant) {}

    package private(set) var abandoned = 0

    // MARK: The connection

    private func later(after delay: Duration = .zero, _ work: @escaping (SimulatedClient) -> Void) {
        loop.add(source, after: delay) { [self] in work(self) }
    }

    /// Does something later, unless the connection is another one by then.
    private func soon(_ work: @escaping (SimulatedClient) -> Void) {
        let connection = connection
        later(after: .milliseconds(loop.draw(below: 20))) { client in
            if client.connection == connection, client.phase == .connected { work(client) }
        }
    }

    private func connect() {
        guard phase != .ended else { return }
        phase = .connecting
        if isStopping { return end() }
        guard !broker.isAway else { return later(after: .milliseconds(50 + loop.draw(below: 200))) { $0.connect() } }
        connection += 1
        phase = .connected
        owed = 0
        let isPresent = broker.connect(self)
        delegate.client(
            identity,
            noticed: .connected(
                ConnectionInfo(
                    url: info.url,
                    version: info.version,
                    sessionPresent: isPresent,
                    inFlightWindow: Self.window
                )
            )
        )
        broker.subscribe(self, subscriptions.map(\.filter))
        broker.unsubscribe(self, former)
        delegate.client(
            identity,
            noticed: .subscribed(subscriptions.map { SubscriptionResult(request: $0, reason: ReasonCode(rawValue: 1)) })
        )
        publish()
        read()
    }

    /// The connection ends now.
    func cut() {
        guard phase == .connected else { return }
        lose()
        delegate.client(identity, noticed: .disconnected(ClientError(.connectionLost, operation: "simulate")))
        later(after: .milliseconds(10 + loop.draw(below: 300))) { $0.connect() }
    }

    private func lose() {
        broker.disconnect(self)
        phase = .connecting
        connection += 1
        queue.insert(contentsOf: inFlight, at: 0)
        inFlight = []
    }

    private func park(_ reason: ParkReason) {
        lose()
        phase = .parked
        delegate.client(identity, noticed: .disconnected(nil))
        delegate.client(identity, noticed: .parked(reason: reason))
        if isStopping { end() }
    }

    // MARK: In

    func hasMail() { soon { $0.read() } }

    private func read() {
        guard phase == .connected, !isHeld else { return }
        let messages = broker.send(to: self, atMost: 1 + loop.draw(below: 5))
        guard !messages.isEmpty else { return }
        let count = messages.count
        guard delegate.client(identity, received: messages) == .acknowledge else { return park(.refused) }
        guard process.isAlive else { return }
        owed += count
        soon { client in
            let count = client.owed
            client.owed = 0
            client.broker.acknowledge(client, count)
            client.delegate.clientWroteAcknowledgements(client.identity)
            client.read()
        }
        soon { $0.read() }
    }

    // MARK: Out

    private func publish() {
        guard phase == .connected else { return }
        while inFlight.count < Self.window, !queue.isEmpty {
            let publication = queue.removeFirst()
            inFlight.append(publication)
            soon { $0.send() }
        }
        makeRoom()
    }

    /// The broker gets what was given first, and answers; or the line is cut in between.
    private func send() {
        guard let publication = inFlight.first else { return }
        let reason = broker.take(publication.message, from: self)
        if loop.draw(below: 50) == 0 { return cut() }
        inFlight.removeFirst()
        if reason == .success {
            publication.completion?(.success(.success))
        } else {
            publication.completion?(
                .failure(ClientError(.rejected, operation: "publish", detail: "\(reason)", reason: reason))
            )
        }
        publish()
        endIfDrained()
    }

    private func makeRoom() {
        guard queue.count < Self.capacity else { return }
        for waiter in room.withLock({ $0.removeAll { _ in true } }) { waiter.resume() }
    }

    // MARK: The end

    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        switch phase {
        case .new: break
        case .connected:
            later(after: .seconds(1)) { $0.end() }
            endIfDrained()
        case .connecting, .parked: end()
        case .ended: break
        }
    }

    private func endIfDrained() {
        if isStopping, queue.isEmpty, inFlight.isEmpty { end() }
    }

    private func end() {
        guard phase != .ended else { return }
        if phase == .connected { lose() }
        phase = .ended
        let left = queue
        queue = []
        abandoned = left.count { $0.completion == nil }
        for publication in left {
            publication.completion?(.failure(ClientError(.notRunning, operation: "publish")))
        }
        delegate.client(identity, noticed: .disconnected(nil))
        for waiter in room.withLock({ $0.removeAll { _ in true } }) { waiter.resume() }
        ending?.resume()
        ending = nil
    }

    /// The process is killed: the broker notices that the line is gone.
    func kill() {
        if phase == .connected { broker.disconnect(self) }
        phase = .ended
        connection += 1
    }
}

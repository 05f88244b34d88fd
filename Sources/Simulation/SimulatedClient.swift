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
    enum Phase {
        case new, connecting, connected, parked, ended
    }

    struct Publication {
        let message: Message
        let completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    }

    static let capacity = 200
    static let window = 20

    let id: String
    let keepsSession: Bool
    let loop: EventLoop
    let broker: SimulatedBroker
    let process: SimulatedProcess
    let source: Int
    let version: ProtocolVersion
    let url: BrokerURL
    let subscriptions: [SubscriptionRequest]
    let former: [String]
    let delegate: any ClientDelegate
    /// What the delegate hears of as the client; it never runs.
    let identity: Client
    var phase = Phase.new
    /// Grows with each connection: what was meant for an earlier one is no longer done.
    var connection = 0
    var queue: [Publication] = []
    var inFlight: [Publication] = []
    /// The topics and identities of what the broker has acknowledged.
    var acknowledged: Set<[String]> = []
    /// How many messages were handed over whose acknowledgements have not left.
    var owed = 0
    var isHeld = false
    var isStopping = false
    private var ending: CheckedContinuation<Void, Never>?
    let room = Locked(Waiters<Void>())

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
        (url, version) = (broker.urls[0], broker.options.version)
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

    func endIfDrained() {
        if isStopping, queue.isEmpty, inFlight.isEmpty { end() }
    }

    func end() {
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

internal import Logging
internal import MQTTBridge
package import Mosquitto
internal import Locking

/// Replaces ``Mosquitto/Client``: a bounded queue, an in-flight window, inbound batches that are acknowledged after the
/// delegate has accepted them, and connections that are cut and re-established.
///
/// Like the real client, it calls its delegate from its own thread, here a source of the event loop. Calls from elsewhere
/// only change state and schedule work on that source.
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
    /// The client that is passed to the delegate; it never runs.
    let identity: Client
    var phase = Phase.new
    /// The generation of the connection; work scheduled for an earlier one is dropped.
    var connection = 0
    var queue: [Publication] = []
    var inFlight: [Publication] = []
    /// The topics and identities of the messages that the broker has acknowledged.
    var acknowledged: Set<[String]> = []
    /// The number of acknowledgements that the client has yet to send.
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

    package func resubscribe(adding requests: [SubscriptionRequest], ending filters: [String]) {
        preconditionFailure("a history changes routes only between two processes")
    }

    package func waitForRoom(for message: Message) async throws {
        try await room.wait(for: (), in: \.self) { [self] _, _ in
            queue.count < Self.capacity || phase == .ended ? .success(()) : nil
        }
    }

    package func hold() {
        isHeld = true
        // A client that is held for too long disconnects.
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

    // MARK: Shutdown

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

    /// Ends the client with its process: the broker sees a lost connection, and the delegate is not called.
    func kill() {
        if phase == .connected { broker.disconnect(self) }
        phase = .ended
        connection += 1
    }
}

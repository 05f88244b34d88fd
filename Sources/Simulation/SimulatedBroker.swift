package import Mosquitto

/// A broker with sessions, which delivers at QoS 1 within an in-flight window and redelivers unacknowledged messages. It may
/// refuse publishes, lose its sessions or be unreachable. All calls are made on the thread of the simulation.
// SAFETY: used by the one thread of the simulation.
package final class SimulatedBroker: @unchecked Sendable {
    /// The session of a client identifier.
    struct Session {
        var filters: [String: SubscriptionRequest] = [:]
        /// The pending messages in order; the sent ones come first.
        var queue: [Message] = []
        /// The number of messages sent on this connection and not acknowledged.
        var sent = 0
    }

    /// A message that the broker has accepted.
    package struct Taken {
        package let topic: String
        package let payload: [UInt8]
        package let identity: String?
    }

    /// The in-flight window, in messages.
    private static let window = 20

    package let name: String
    var sessions: [String: Session] = [:]
    /// The last retained message of each topic.
    private(set) var kept: [String: Message] = [:]
    /// All accepted publishes of clients, in order.
    package private(set) var log: [Taken] = []
    /// Whether the broker is unreachable.
    package var isAway = false
    /// How many of the next publishes the broker refuses, as a busy broker does.
    package var refusals = 0
    /// The number of refused publishes.
    private(set) var refused = 0
    /// Messages that a client has published again, with the same identity, after their acknowledgement.
    private(set) var repeats: [String] = []
    /// Called with each batch of messages that a client acknowledges.
    var whenAcknowledged: (_ client: SimulatedClient, _ messages: [Message]) -> Void = { _, _ in }
    /// The connected clients, by identifier.
    private var clients: [String: SimulatedClient] = [:]

    package init(_ name: String) {
        self.name = name
    }

    // MARK: Clients

    /// Connects a client, and returns whether its session was present.
    func connect(_ client: SimulatedClient) -> Bool {
        let isPresent = sessions[client.id] != nil
        sessions[client.id, default: Session()].sent = 0
        clients[client.id] = client
        return isPresent
    }

    func disconnect(_ client: SimulatedClient) {
        guard clients[client.id] === client else { return }
        clients[client.id] = nil
        if !client.keepsSession { sessions[client.id] = nil }
    }

    func subscribe(_ client: SimulatedClient, _ requests: [SubscriptionRequest]) {
        subscribe(client.id, requests)
        client.hasMail()
    }

    /// Adds subscriptions to a session, and queues the retained messages that match, even for existing subscriptions.
    func subscribe(_ id: String, _ requests: [SubscriptionRequest]) {
        for request in requests {
            sessions[id, default: Session()].filters[request.filter] = request
            let topics = kept.keys.sorted().filter { Self.matches(request.filter, $0) }
            sessions[id]!.queue += topics.compactMap { kept[$0] }
        }
    }

    func unsubscribe(_ client: SimulatedClient, _ filters: [String]) {
        for filter in filters { sessions[client.id]?.filters[filter] = nil }
    }

    /// Returns the next messages for a client, and marks them as sent.
    func send(to client: SimulatedClient, atMost limit: Int) -> [Message] {
        guard var session = sessions[client.id] else { return [] }
        let end = min(session.queue.count, session.sent + limit, Self.window)
        guard end > session.sent else { return [] }
        let messages = session.queue[session.sent..<end].map { Self.message($0, in: client.version) }
        session.sent = end
        sessions[client.id] = session
        return messages
    }

    /// Removes the first `count` sent messages of a client as acknowledged.
    func acknowledge(_ client: SimulatedClient, _ count: Int) {
        guard var session = sessions[client.id] else { return }
        precondition(count <= session.sent, "acknowledged what was not sent")
        whenAcknowledged(client, Array(session.queue.prefix(count)))
        session.queue.removeFirst(count)
        session.sent -= count
        sessions[client.id] = session
    }

    // MARK: Messages

    /// Publishes a message. Like mosquitto, queues one copy for each matching filter of a session.
    ///
    /// - Parameter publisher: The identifier of the publishing client; nil for a publisher outside the bridges.
    package func publish(_ message: Message, from publisher: String? = nil) {
        if publisher != nil {
            log.append(
                Taken(topic: message.topic, payload: message.payload, identity: message.properties[user: "bridgeid"])
            )
        }
        var live = message
        if message.isRetained {
            kept[message.topic] = message
            live.isRetained = false
        }
        for id in sessions.keys.sorted() {
            let copies = sessions[id]!.filters.values.count { request in
                Self.matches(request.filter, message.topic) && !(request.noLocal && id == publisher)
            }
            guard copies > 0 else { continue }
            sessions[id]!.queue += Array(repeating: live, count: copies)
            clients[id]?.hasMail()
        }
    }

    /// Accepts or refuses a publish of a client; MQTT 3.1.1 cannot refuse.
    func take(_ message: Message, from client: SimulatedClient) -> ReasonCode {
        if refusals > 0, client.version == .v5 {
            refusals -= 1
            refused += 1
            return .quotaExceeded
        }
        publish(Self.message(message, in: client.version), from: client.id)
        return .success
    }

    func noteRepeat(of message: Message, by client: SimulatedClient) {
        repeats.append("\(String(decoding: message.payload, as: UTF8.self)) on \(message.topic) by \(client.id)")
    }

    /// Returns a message as a protocol version can carry it: 3.1.1 has no properties.
    static func message(_ message: Message, in version: ProtocolVersion) -> Message {
        guard version == .v3_1_1 else { return message }
        return Message(
            topic: message.topic,
            payload: message.payload,
            qos: message.qos,
            isRetained: message.isRetained
        )
    }

    // MARK: Faults

    /// Cuts all connections.
    package func cut() {
        for id in clients.keys.sorted() { clients[id]?.cut() }
    }

    /// Restarts the broker without its sessions.
    package func loseSessions() {
        cut()
        sessions = [:]
    }

    /// Whether no session has pending messages.
    package var isQuiet: Bool { sessions.values.allSatisfy(\.queue.isEmpty) }

    static func matches(_ filter: String, _ topic: String) -> Bool {
        let (wanted, levels) = (filter.split(separator: "/"), topic.split(separator: "/"))
        return wanted.count == levels.count && zip(wanted, levels).allSatisfy { $0 == "+" || $0 == $1 }
    }
}

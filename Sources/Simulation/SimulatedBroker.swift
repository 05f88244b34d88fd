package import Mosquitto

/// A broker that keeps sessions, delivers at QoS 1 within a window, delivers again what was not acknowledged, and may
/// refuse, lose its sessions or be away. Everything happens on the thread of the simulation.
// SAFETY: used by the one thread of the simulation.
package final class SimulatedBroker: @unchecked Sendable {
    /// A message on its way to a client.
    struct Delivery {
        let message: Message
        var isDuplicate = false
    }

    /// What the broker keeps for a client identifier.
    struct Session {
        var filters: Set<String> = []
        /// In order: those that were sent come first.
        var queue: [Delivery] = []
        /// How many of the queue were sent on this connection and are not acknowledged.
        var sent = 0
    }

    /// A message that the broker has taken.
    package struct Taken {
        package let topic: String
        package let payload: [UInt8]
        package let identity: String?
    }

    /// The most messages that are sent and not acknowledged.
    private static let window = 20

    package let name: String
    var sessions: [String: Session] = [:]
    /// Everything that was published here, in order.
    package private(set) var log: [Taken] = []
    /// Whether clients may connect.
    package var isAway = false
    /// How many publishes of clients are refused from now on, as a broker does that is busy.
    package var refusals = 0
    /// Called with messages that a client has acknowledged.
    var whenAcknowledged: ([Message]) -> Void = { _ in }
    /// Of those that are connected.
    private var clients: [String: SimulatedClient] = [:]

    package init(_ name: String) {
        self.name = name
    }

    // MARK: Clients

    /// Returns whether the broker had kept the session.
    func connect(_ client: SimulatedClient) -> Bool {
        let isPresent = sessions[client.id] != nil
        sessions[client.id, default: Session()].sent = 0
        for position in sessions[client.id]!.queue.indices where isPresent {
            sessions[client.id]!.queue[position].isDuplicate = true
        }
        clients[client.id] = client
        return isPresent
    }

    func disconnect(_ client: SimulatedClient) {
        guard clients[client.id] === client else { return }
        clients[client.id] = nil
        if !client.keepsSession { sessions[client.id] = nil }
    }

    func subscribe(_ client: SimulatedClient, _ filters: [String]) {
        sessions[client.id, default: Session()].filters.formUnion(filters)
    }

    func unsubscribe(_ client: SimulatedClient, _ filters: [String]) {
        sessions[client.id]?.filters.subtract(filters)
    }

    /// The next messages for a client, which are from now on sent.
    func send(to client: SimulatedClient, atMost limit: Int) -> [Message] {
        guard var session = sessions[client.id] else { return [] }
        let end = min(session.queue.count, session.sent + limit, Self.window)
        guard end > session.sent else { return [] }
        let messages = session.queue[session.sent..<end].map(\.message)
        session.sent = end
        sessions[client.id] = session
        return messages
    }

    /// The first messages that were sent are acknowledged.
    func acknowledge(_ client: SimulatedClient, _ count: Int) {
        guard var session = sessions[client.id] else { return }
        precondition(count <= session.sent, "acknowledged what was not sent")
        whenAcknowledged(session.queue.prefix(count).map(\.message))
        session.queue.removeFirst(count)
        session.sent -= count
        sessions[client.id] = session
    }

    // MARK: Messages

    /// Somebody publishes. Returns whether some session takes the message, so that it must not be lost.
    @discardableResult
    package func publish(_ message: Message, from publisher: String? = nil) -> Bool {
        log.append(
            Taken(topic: message.topic, payload: message.payload, identity: message.properties[user: "bridgeid"])
        )
        var isTaken = false
        for id in sessions.keys.sorted() where id != publisher {
            guard sessions[id]!.filters.contains(where: { Self.matches($0, message.topic) }) else { continue }
            sessions[id]!.queue.append(Delivery(message: message))
            clients[id]?.hasMail()
            isTaken = true
        }
        return isTaken
    }

    /// Takes a publish of a client, or refuses it.
    func take(_ message: Message, from client: SimulatedClient) -> ReasonCode {
        if refusals > 0 {
            refusals -= 1
            return .quotaExceeded
        }
        publish(message, from: client.id)
        return .success
    }

    // MARK: Faults

    /// Cuts the connections.
    package func cut() {
        for id in clients.keys.sorted() { clients[id]?.cut() }
    }

    /// The broker starts anew and has lost all sessions.
    package func loseSessions() {
        cut()
        sessions = [:]
    }

    /// Whether nothing waits for any client.
    package var isQuiet: Bool { sessions.values.allSatisfy(\.queue.isEmpty) }

    private static func matches(_ filter: String, _ topic: String) -> Bool {
        let (wanted, levels) = (filter.split(separator: "/"), topic.split(separator: "/"))
        return wanted.count == levels.count && zip(wanted, levels).allSatisfy { $0 == "+" || $0 == $1 }
    }
}

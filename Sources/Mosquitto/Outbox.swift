import DequeModule

/// A message on its way out, and who wants to know what became of it. An object: it goes through several queues.
final class Publication: Sendable {
    let message: Message
    let completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    /// What it counts towards the limit in bytes.
    let size: Int

    init(message: consuming Message, completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?) {
        size = message.payload.count + message.topic.utf8.count
        self.message = message
        self.completion = completion
    }
}

/// The messages that wait to be published, in order, bounded in number and bytes. Pure.
///
/// Those in flight count as well, since they come back here when the connection is lost.
struct Outbox: Sendable {
    let capacity: Int
    let maximumBytes: Int
    private var waiting = Deque<Publication>()
    private var inFlight = 0
    private var bytes = 0

    init(capacity: Int, maximumBytes: Int) {
        self.capacity = capacity
        self.maximumBytes = maximumBytes
    }

    /// Whether nothing waits and nothing is in flight.
    var isEmpty: Bool { waiting.isEmpty && inFlight == 0 }

    /// The QoS of the next message; nil where none waits.
    var nextQoS: QoS? { waiting.first?.message.qos }

    /// Whether half of the places are free again.
    var hasRoom: Bool { waiting.count + inFlight <= capacity / 2 && bytes <= maximumBytes / 2 }

    /// Takes a message, unless it is full. One that is larger than all the room is taken when nothing else is there.
    mutating func add(_ publication: Publication) -> Bool {
        let count = waiting.count + inFlight
        guard count < capacity, bytes + publication.size <= maximumBytes || count == 0 else { return false }
        waiting.append(publication)
        bytes += publication.size
        return true
    }

    /// The next messages, at most `limit` and at most so many at QoS 2, which are then in flight.
    mutating func take(limit: Int, exactlyOnce: Int = .max) -> [Publication] {
        var count = 0
        var exactlyOnce = exactlyOnce
        for publication in waiting.prefix(limit) {
            if publication.message.qos == .exactlyOnce {
                guard exactlyOnce > 0 else { break }
                exactlyOnce -= 1
            }
            count += 1
        }
        guard count > 0 else { return [] }
        let taken = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        inFlight += count
        return taken
    }

    /// A message that was in flight is done with.
    mutating func completed(_ publication: Publication) {
        inFlight -= 1
        bytes -= publication.size
    }

    /// Messages that were in flight are to be sent again, before all others.
    mutating func returned(_ publications: [Publication]) {
        inFlight -= publications.count
        waiting.prepend(contentsOf: publications)
    }

    /// Gives everything up.
    mutating func removeAll() -> [Publication] {
        guard !waiting.isEmpty else { return [] }
        defer {
            bytes -= waiting.reduce(0) { $0 + $1.size }
            waiting.removeAll()
        }
        return Array(waiting)
    }
}

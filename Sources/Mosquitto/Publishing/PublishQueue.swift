import DequeModule

/// The queue of outbound messages, in order, bounded in number and bytes. Pure.
///
/// Messages in flight count too, since a lost connection returns them to the queue.
struct PublishQueue: Sendable {
    let capacity: Int
    let maximumBytes: Int
    private var waiting = Deque<Publication>()
    private var inFlight = 0
    private var bytes = 0

    init(capacity: Int, maximumBytes: Int) {
        self.capacity = capacity
        self.maximumBytes = maximumBytes
    }

    /// Whether no message is queued or in flight.
    var isEmpty: Bool { waiting.isEmpty && inFlight == 0 }

    /// The number of messages queued and in flight.
    var count: Int { waiting.count + inFlight }

    /// The QoS of the next message; nil if none is queued.
    var nextQoS: QoS? { waiting.first?.message.qos }

    /// Whether a waiter for room may resume: half of the places and of the bytes are free, and a message of that size
    /// fits.
    func hasRoom(for size: Int) -> Bool { count <= capacity / 2 && bytes <= maximumBytes / 2 && takes(size) }

    private func takes(_ size: Int) -> Bool { count < capacity && (bytes + size <= maximumBytes || count == 0) }

    /// Adds a message. Returns false if the queue is full. A message larger than ``maximumBytes`` fits into an empty
    /// queue.
    mutating func add(_ publication: Publication) -> Bool {
        guard takes(publication.size) else { return false }
        waiting.append(publication)
        bytes += publication.size
        return true
    }

    /// Takes the next messages into flight: at most `limit`, and at most `exactlyOnce` at QoS 2. Keeps the order: the
    /// first message beyond a limit ends the batch.
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

    /// A message in flight is complete, or was given up.
    mutating func completed(_ publication: Publication) {
        inFlight -= 1
        bytes -= publication.size
    }

    /// Removes a queued message; returns false if it is not queued.
    mutating func withdraw(_ publication: Publication) -> Bool {
        guard let position = waiting.firstIndex(where: { $0 === publication }) else { return false }
        waiting.remove(at: position)
        bytes -= publication.size
        return true
    }

    /// Returns messages in flight to the front of the queue.
    mutating func returned(_ publications: [Publication]) {
        inFlight -= publications.count
        waiting.prepend(contentsOf: publications)
    }

    /// Removes all queued messages, not those in flight.
    mutating func removeAll() -> [Publication] {
        guard !waiting.isEmpty else { return [] }
        defer {
            bytes -= waiting.reduce(0) { $0 + $1.size }
            waiting.removeAll()
        }
        return Array(waiting)
    }
}

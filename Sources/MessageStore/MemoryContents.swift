/// The state of a ``MemoryStore``.
struct MemoryContents: Sendable {
    private struct Arrived: Sendable {
        var record: InboundRecord
        /// The number of unclean shutdowns before it arrived.
        var generation: Int
        var progress: [String: ListenerProgress] = [:]
    }

    private var arrived = SequencedTable<Arrived>()
    private var departing = SequencedTable<OutboundRecord>()
    private var seen: [SeenIdentity] = []
    private(set) var letters: [DeadLetter] = []
    private var lastLetter: Int64 = 0
    private var texts: [String: String] = [:]
    private var generation = 0
    private var life = StoreBatch.Life.ended

    mutating func recover() -> StoreInventory {
        if life == .began { generation += 1 }
        life = .ended
        var listeners: Set<String> = []
        arrived.forEach { _, entry in
            listeners.formUnion(entry.record.listeners)
            return true
        }
        return StoreInventory(
            lastSequence: max(arrived.last ?? 0, departing.last ?? 0),
            loads: loads,
            seen: seen,
            deadLetters: letters.count,
            listeners: listeners
        )
    }

    /// Whether a message of the batch repeats a sequence of the batch or of the store.
    func holdsAny(of batch: StoreBatch) -> Bool {
        func holdsAny<Value>(_ sequences: [Int64], _ table: SequencedTable<Value>) -> Bool {
            Set(sequences).count < sequences.count || sequences.contains { table[$0] != nil }
        }
        return holdsAny(batch.arrivals.map(\.sequence), arrived)
            || holdsAny(batch.departures.map(\.sequence), departing)
    }

    mutating func apply(_ batch: StoreBatch) -> [StoreRemoval] {
        for sequence in batch.finished { arrived[sequence] = nil }
        for sequence in batch.published { departing[sequence] = nil }
        for record in batch.arrivals { arrived[record.sequence] = Arrived(record: record, generation: generation) }
        for record in batch.departures { departing[record.sequence] = record }
        seen += batch.seen
        for change in batch.progress {
            _ = arrived.update(change.sequence) { $0.progress[change.listener] = change.progress }
        }
        life = batch.life ?? life
        for var letter in batch.deadLetters {
            lastLetter += 1
            letter.number = lastLetter
            letters.append(letter)
        }
        if !batch.replayed.isEmpty {
            let numbers = Set(batch.replayed)
            letters.removeAll { numbers.contains($0.number) }
        }
        return batch.evictions.flatMap { evict($0) }
    }

    func inbound(after sequence: Int64, limit: Int, bytes: Int) -> [InboundEntry] {
        var page = PageLimit(entries: limit, bytes: bytes)
        var result: [InboundEntry] = []
        arrived.forEach(after: sequence) { _, entry in
            guard page.takes(entry.record.payload.count) else { return false }
            let recoveries = generation - entry.generation
            result.append(InboundEntry(record: entry.record, recoveries: recoveries, progress: entry.progress))
            return true
        }
        return result
    }

    func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) -> [OutboundRecord] {
        var page = PageLimit(entries: limit, bytes: bytes)
        var result: [OutboundRecord] = []
        departing.forEach(after: sequence) { _, record in
            guard record.broker == broker else { return true }
            guard page.takes(record.payload.count) else { return false }
            result.append(record)
            return true
        }
        return result
    }

    func outboundTopics(to broker: String, limit: Int) -> [String] {
        var topics: Set<ExactName> = []
        departing.forEach { _, record in
            guard topics.count < limit else { return false }
            if record.broker == broker { topics.insert(ExactName(record.topic)) }
            return true
        }
        return topics.map(\.text)
    }

    mutating func requestReplay(of filter: DeadLetterFilter) -> Int {
        var count = 0
        for index in letters.indices where letters[index].canRunAgain && filter.matches(letters[index]) {
            letters[index].isReplayRequested = true
            count += 1
        }
        return count
    }

    mutating func dropLetters(_ filter: DeadLetterFilter) -> Int {
        let before = letters.count
        letters.removeAll { filter.matches($0) }
        return before - letters.count
    }

    mutating func text(named name: String, initial: String) -> String {
        if let text = texts[name] { return text }
        texts[name] = initial
        return initial
    }

    mutating func setText(_ text: String, named name: String) { texts[name] = text }

    var status: StoreStatus {
        StoreStatus(loads: loads, deadLetters: letters.count, seen: seen.count, size: 0)
    }

    private var loads: [StoreStatus.Load] {
        var sums = LoadSums()
        arrived.forEach { _, entry in
            sums.add(.inbound, route: entry.record.route, bytes: entry.record.size, time: entry.record.time)
            return true
        }
        departing.forEach { _, record in
            sums.add(.outbound, route: record.route, bytes: record.size, time: record.time)
            return true
        }
        return sums.loads
    }
}

extension MemoryContents {
    private mutating func evict(_ eviction: StoreEviction) -> [StoreRemoval] {
        switch eviction {
        case .oldest(.inbound, let route, let messages, let bytes):
            let removals = arrived.oldest(messages: messages, bytes: bytes) { _, entry in
                route == nil || route == entry.record.route ? StoreRemoval(entry.record, .full) : nil
            }
            for removal in removals { arrived[removal.sequence] = nil }
            return removals
        case .oldest(.outbound, let route, let messages, let bytes):
            let removals = departing.oldest(messages: messages, bytes: bytes) { _, record in
                route == nil || route == record.route ? StoreRemoval(record, .full) : nil
            }
            for removal in removals { departing[removal.sequence] = nil }
            return removals
        case .expired(let time):
            return evictExpired(before: time)
        case .seen(let time, let keep):
            let late = seen.prefix { $0.time < time }.count
            seen.removeFirst(max(late, seen.count - max(0, keep)))
            return []
        case .deadLetters(let keep, let bytes):
            var size = letters.reduce(0) { $0 + $1.size }
            var count = 0
            while count < letters.count, letters.count - count > keep || size > bytes {
                size -= letters[count].size
                count += 1
            }
            defer { letters.removeFirst(count) }
            return letters.prefix(count).map { StoreRemoval($0) }
        }
    }

    private mutating func evictExpired(before time: Int64) -> [StoreRemoval] {
        var removals: [StoreRemoval] = []
        arrived.forEach { _, entry in
            if let expires = entry.record.expires, expires < time { removals.append(.init(entry.record, .expired)) }
            return true
        }
        for removal in removals { arrived[removal.sequence] = nil }
        let inbound = removals.count
        departing.forEach { _, record in
            if let expires = record.expires, expires < time { removals.append(.init(record, .expired)) }
            return true
        }
        for removal in removals.dropFirst(inbound) { departing[removal.sequence] = nil }
        return removals
    }
}

extension SequencedTable {
    /// The removals of the oldest values for which `removal` returns one, until both totals are reached.
    fileprivate func oldest(messages: Int, bytes: Int, _ removal: (Int64, Value) -> StoreRemoval?) -> [StoreRemoval] {
        var result: [StoreRemoval] = []
        var size = 0
        forEach { sequence, value in
            guard result.count < messages || size < bytes else { return false }
            if let next = removal(sequence, value) {
                result.append(next)
                size += next.size
            }
            return true
        }
        return result
    }
}

package import MessageStore

/// A model of a store in its simplest form, for property tests.
package struct StoreModel {
    package var inbound: [InboundEntry] = []
    package var outbound: [OutboundRecord] = []
    package var seen: [SeenIdentity] = []
    package var letters: [DeadLetter] = []
    package var lastLetter: Int64 = 0
    package var life = StoreBatch.Life.ended

    package init() {}

    package mutating func recover() {
        if life == .began {
            for index in inbound.indices { inbound[index].recoveries += 1 }
        }
        life = .ended
    }

    /// The names of the listeners for which messages wait.
    package var listeners: Set<String> { Set(inbound.flatMap(\.record.listeners)) }

    package mutating func apply(_ batch: StoreBatch) -> [StoreRemoval] {
        inbound.removeAll { batch.finished.contains($0.record.sequence) }
        outbound.removeAll { batch.published.contains($0.sequence) }
        inbound += batch.arrivals.map { InboundEntry(record: $0) }
        inbound.sort { $0.record.sequence < $1.record.sequence }
        outbound += batch.departures
        outbound.sort { $0.sequence < $1.sequence }
        seen += batch.seen
        for change in batch.progress {
            for index in inbound.indices where inbound[index].record.sequence == change.sequence {
                inbound[index].progress[change.listener] = change.progress
            }
        }
        for letter in batch.deadLetters {
            lastLetter += 1
            letters.append(letter)
            letters[letters.count - 1].number = lastLetter
        }
        life = batch.life ?? life
        letters.removeAll { batch.replayed.contains($0.number) }
        return batch.evictions.flatMap { evict($0) }
    }

    private mutating func evict(_ eviction: StoreEviction) -> [StoreRemoval] {
        var removals: [StoreRemoval] = []
        var trimmed: [StoreRemoval] = []
        switch eviction {
        case .oldest(let direction, let route, let messages, let bytes):
            var size = 0
            for message in all(.full) where message.direction == direction && (route ?? message.route) == message.route
            {
                guard removals.count < messages || size < bytes else { break }
                removals.append(message)
                size += message.size
            }
        case .expired(let time):
            let late =
                inbound.filter { ($0.record.expires ?? .max) < time }.map(\.record.sequence)
                + outbound.filter { ($0.expires ?? .max) < time }.map(\.sequence)
            removals = all(.expired).filter { late.contains($0.sequence) }
        case .seen(let time, let keep):
            while let first = seen.first, first.time < time || seen.count > keep { seen.removeFirst() }
        case .deadLetters(let keep, let bytes):
            while let first = letters.first, letters.count > keep || letters.reduce(0, { $0 + $1.size }) > bytes {
                var removal = removal(first.direction, first.number, first.route, first.topic, first.size, .letter)
                removal.broker = first.broker
                trimmed.append(removal)
                letters.removeFirst()
            }
            return trimmed
        }
        let gone = removals.map(\.sequence)
        inbound.removeAll { gone.contains($0.record.sequence) }
        outbound.removeAll { gone.contains($0.sequence) }
        return removals
    }

    private func all(_ reason: StoreRemoval.Reason) -> [StoreRemoval] {
        inbound.map { removal(.inbound, $0.record.sequence, $0.record.route, $0.record.topic, $0.record.size, reason) }
            + outbound.map {
                var removal = removal(.outbound, $0.sequence, $0.route, $0.topic, $0.size, reason)
                removal.broker = $0.broker
                return removal
            }
    }

    private func removal(
        _ direction: DeadLetter.Direction,
        _ sequence: Int64,
        _ route: String,
        _ topic: String,
        _ size: Int,
        _ reason: StoreRemoval.Reason
    ) -> StoreRemoval {
        StoreRemoval(
            direction: direction,
            sequence: sequence,
            route: route,
            broker: "main",
            topic: topic,
            size: size,
            reason: reason
        )
    }

    package var contents: StoreContents {
        var contents = StoreContents()
        contents.inbound = inbound
        for broker in StoreContents.brokers {
            contents.outbound[broker] = outbound.filter { $0.broker == broker }
            contents.topics[broker] = Set(contents.outbound[broker]!.map(\.topic))
        }
        contents.letters = letters
        contents.seen = seen.count
        for direction in DeadLetter.Direction.allCases {
            let messages =
                direction == .inbound
                ? inbound.map { ($0.record.route, $0.record.size, $0.record.time) }
                : outbound.map { ($0.route, $0.size, $0.time) }
            for route in Set(messages.map(\.0)).sorted() {
                let own = messages.filter { $0.0 == route }
                contents.loads.append(
                    .init(
                        direction: direction,
                        route: route,
                        messages: own.count,
                        bytes: own.reduce(0) { $0 + $1.1 },
                        oldest: own.map(\.2).min()!
                    )
                )
            }
        }
        return contents
    }
}

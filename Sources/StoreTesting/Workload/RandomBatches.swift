internal import FaultKit
package import MessageStore

/// Makes random batches with all kinds of changes, mostly of existing messages.
package struct RandomBatches {
    private var random: SplitMix64
    private var sequence: Int64 = 0
    private var time: Int64 = 0
    private let hasFewLarge: Bool

    /// - Parameter hasFewLarge: Whether large payloads are rare, and of up to 20 KiB then.
    package init(seed: UInt64, hasFewLarge: Bool = false) {
        random = SplitMix64(seed: seed)
        self.hasFewLarge = hasFewLarge
    }

    /// Returns the next batch.
    ///
    /// - Parameter letters: The number of dead letters so far.
    package mutating func next(letters: Int64) -> StoreBatch {
        var batch = StoreBatch()
        let oldest = max(1, sequence - 30)
        for _ in 0..<random.below(6) { batch.arrivals.append(arrival()) }
        for _ in 0..<random.below(6) { batch.departures.append(departure()) }
        for _ in 0..<random.below(5) {
            time += Int64(random.below(4))
            var identity = SeenIdentity.sample(Int64(random.below(1000)))
            identity.time = time
            batch.seen.append(identity)
        }
        for _ in 0..<random.below(5) {
            let progress = ListenerProgress(
                isFinished: random.chance(1, in: 2),
                attempts: random.below(5),
                interruptions: random.below(3)
            )
            let listener = random.pick(["log", "alarm", "größe", "a,b"])
            batch.progress.append(.init(sequence: some(from: oldest), listener: listener, progress: progress))
        }
        for _ in 0..<random.below(6) { batch.finished.append(some(from: oldest)) }
        for _ in 0..<random.below(6) { batch.published.append(some(from: oldest)) }
        if random.chance(1, in: 4) { batch.finished += oldest...(oldest + 8) }
        for _ in 0..<random.below(3) {
            let payload: [UInt8]? = random.chance(1, in: 3) ? nil : bytes()
            batch.deadLetters.append(.sample(Int64(random.below(1000)), route: route(), payload: payload))
        }
        if random.chance(1, in: 4) { batch.life = random.pick([.began, .ended]) }
        if random.chance(1, in: 4) { batch.replayed.append(1 + Int64(random.below(Int(letters) + 2))) }
        if random.chance(1, in: 2) { batch.evictions.append(eviction()) }
        if random.chance(1, in: 4) { batch.evictions.append(eviction()) }
        if random.chance(1, in: 4) {
            (batch.arrivals, batch.departures, batch.deadLetters, batch.replayed) = ([], [], [], [])
            batch.life = nil
        }
        return batch
    }

    private mutating func arrival() -> InboundRecord {
        sequence += Int64(1 + random.below(2))
        let listeners = random.pick([["log"], ["log", "alarm"], ["alarm", "log"], ["a,b", "größe"]])
        return .sample(sequence, route: route(), payload: bytes(), expires: expiry(), listeners: listeners)
    }

    private mutating func departure() -> OutboundRecord {
        sequence += Int64(1 + random.below(2))
        return .sample(
            sequence,
            route: route(),
            broker: random.pick(StoreContents.brokers),
            topic: "lamp/\(random.below(4))",
            payload: bytes(),
            expires: expiry()
        )
    }

    private mutating func eviction() -> StoreEviction {
        switch random.below(4) {
        case 0:
            return .oldest(
                random.pick(DeadLetter.Direction.allCases),
                route: random.chance(1, in: 2) ? route() : nil,
                messages: random.below(4),
                bytes: random.below(2) * random.below(3000)
            )
        case 1: return .expired(before: some(from: max(1, sequence - 40)))
        case 2: return .seen(before: time - Int64(random.below(60)), keep: 5 + random.below(40))
        default: return .deadLetters(keep: random.below(20), bytes: 500 + random.below(3_000))
        }
    }

    private mutating func some(from oldest: Int64) -> Int64 { oldest + Int64(random.below(Int(sequence - oldest) + 2)) }

    private mutating func route() -> String { random.pick(["climate", "lamps", "doors", "it's \"odd\""]) }

    private mutating func expiry() -> Int64? { random.chance(1, in: 3) ? sequence + Int64(random.below(60)) : nil }

    private mutating func bytes() -> [UInt8] {
        let isLarge = random.chance(1, in: hasFewLarge ? 60 : 10)
        let count = isLarge ? random.below(hasFewLarge ? 20_480 : 9_000) : random.below(60)
        return (0..<count).map { _ in UInt8(random.below(256)) }
    }
}

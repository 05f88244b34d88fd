import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("KeyedStateMachine against a model")
struct KeyedStateMachineModelTests {
    private typealias Letter = KeyedDriver.Letter

    private struct Setup {
        let capacity: Int
        let capacityBytes: Int
        let limit: Int
        let policy: OverflowPolicy
        let keys: [String?]

        var isSerial: Bool { limit == 1 && keys == [nil] }

        init(_ random: inout SplitMix64) {
            capacity = 1 + random.below(6)
            capacityBytes = random.chance(1, in: 2) ? .max : 1 + random.below(20)
            limit = 1 + random.below(4)
            policy = random.pick([.dropOldest, .dropNewest])
            keys = random.pick([[nil], ["a"], ["a", "b"], ["a", "b", "c", "d", "e"]])
        }
    }

    /// What waits, as a list that is searched from end to end.
    private struct Model {
        struct Entry {
            let letter: Letter
            let standing: Standing
            var isResting = false
            var rank: Int
        }

        let setup: Setup
        var waiting: [Entry] = []
        var outside: [(token: UInt64, letter: Letter)] = []
        var accepted: [Letter] = []
        var admitted: [UInt64] = []
        var standings: [Int: Standing] = [:]
        var ranks: [Int: Int] = [:]
        var nextRank = 0

        var room: Int { setup.capacity - waiting.filter { $0.standing != .kept }.count }

        func hasRoom(for size: Int, besides standings: [Standing] = [.displaceable, .sent]) -> Bool {
            let others = waiting.filter { standings.contains($0.standing) }.map(\.letter.size)
            return others.count < setup.capacity
                && (others.isEmpty || others.reduce(size, +) <= setup.capacityBytes)
        }

        mutating func append(_ letter: Letter, _ standing: Standing) {
            accepted.append(letter)
            standings[letter.number] = standing
            ranks[letter.number] = nextRank
            waiting.append(Entry(letter: letter, standing: standing, rank: nextRank))
            nextRank += 1
        }

        func victim(for key: String?) -> Letter? {
            let displaceable = waiting.filter { $0.standing == .displaceable }
            let ofKey = displaceable.filter { $0.letter.key == key }
            return (ofKey.isEmpty ? displaceable : ofKey).min { $0.rank < $1.rank }?.letter
        }

        mutating func rest(_ letter: Letter) {
            let (standing, rank) = (standings[letter.number] ?? .displaceable, ranks[letter.number] ?? -1)
            waiting.append(Entry(letter: letter, standing: standing, isResting: true, rank: rank))
        }

        mutating func wake(_ letter: Letter) {
            guard let position = waiting.firstIndex(where: { $0.letter == letter }) else { return }
            waiting[position].isResting = false
            guard letter.key == nil, !setup.isSerial else { return }
            waiting[position].rank = nextRank
            ranks[letter.number] = nextRank
            nextRank += 1
        }

        /// What a worker must take of that key; nil while its order forbids to take any.
        func next(_ key: String?) -> Letter? {
            let holdsUp = key != nil || setup.isSerial
            let first = waiting.filter { $0.letter.key == key && (holdsUp || !$0.isResting) }.min { $0.rank < $1.rank }
            return first.flatMap { $0.isResting ? nil : $0.letter }
        }

        mutating func took(_ letter: Letter) {
            waiting.removeAll { $0.letter == letter }
            guard let first = outside.first, hasRoom(for: first.letter.size) else { return }
            let (token, letter) = outside.removeFirst()
            append(letter, .sent)
            admitted.append(token)
        }
    }

    @Test("nothing is lost, doubled, out of order or out of bounds, whatever happens when", arguments: Seed.fresh(8))
    func model(seed: Seed) throws {
        var random = seed.random
        for _ in 0..<60 {
            let setup = Setup(&random)
            try run(setup, &random, "\(setup), \(seed)")
        }
    }

    private func run(_ setup: Setup, _ random: inout SplitMix64, _ context: Comment) throws {
        var box = KeyedDriver(
            capacity: setup.capacity,
            capacityBytes: setup.capacityBytes,
            limit: setup.limit,
            policy: setup.policy
        )
        var model = Model(setup: setup)
        var token: UInt64 = 0
        var dropped = 0
        var failures = 0
        var withdrawn: Set<Int> = []

        func follow(from begunBefore: Int) throws {
            for letter in box.begun[begunBefore...] {
                try #require(model.next(letter.key) == letter, context)
                model.took(letter)
            }
        }

        for _ in 0..<160 {
            let begunBefore = box.begun.count
            switch random.below(28) {
            case 0...7:
                let (key, size) = (random.pick(setup.keys), random.below(8))
                let displacedBefore = box.displaced.count
                let letter = box.offer(key: key, size: size)
                let isRefused =
                    !model.hasRoom(for: size)
                    && (setup.policy == .dropNewest || !model.hasRoom(for: size, besides: [.sent]))
                guard !isRefused else {
                    dropped += 1
                    try #require(box.refused.last == letter && box.displaced.count == displacedBefore, context)
                    break
                }
                var victims: [Letter] = []
                while !model.hasRoom(for: size) {
                    let victim = try #require(model.victim(for: key), context)
                    victims.append(victim)
                    model.waiting.removeAll { $0.letter == victim }
                }
                dropped += victims.count
                try #require(Array(box.displaced[displacedBefore...]) == victims, context)
                model.append(letter, .displaceable)
            case 8...9:
                token += 1
                let (letter, isSuspended) = box.send(key: random.pick(setup.keys), size: random.below(8), token: token)
                try #require(isSuspended == (!model.outside.isEmpty || !model.hasRoom(for: letter.size)), context)
                if isSuspended { model.outside.append((token, letter)) } else { model.append(letter, .sent) }
            case 10...11:
                let victim = model.outside.isEmpty ? token + 1 : random.pick(model.outside.map(\.token))
                let cancelled = box.machine.sendCancelled(token: victim)
                try #require(cancelled == model.outside.first { $0.token == victim }?.letter, context)
                model.outside.removeAll { $0.token == victim }
            case 12...13 where model.standings.values.filter({ $0 == .kept }).count < 20:
                model.append(box.offer(key: random.pick(setup.keys), size: 9, isKept: true), .kept)
            case 14...17 where box.starting > 0:
                box.startWorker()
            case 18...21 where !box.running.isEmpty:
                let position = random.below(box.running.count)
                model.rest(box.running[position])
                failures += 1
                try #require(box.fail(at: position) == true, context)
            case 22...25 where !box.resting.isEmpty:
                let position = random.below(box.resting.count)
                model.wake(box.resting[position].letter)
                box.wake(at: position)
            case 26 where random.chance(1, in: 3):
                let (divisor, rest) = (2 + random.below(3), random.below(2))
                let meant = model.waiting.filter { $0.standing == .kept }.map(\.letter.number)
                    .filter { $0 % divisor == rest }
                try #require(box.withdraw { meant.contains($0) }.sorted() == meant.sorted(), context)
                model.waiting.removeAll { meant.contains($0.letter.number) }
                withdrawn.formUnion(meant)
            case _ where !box.running.isEmpty:
                box.finish(at: random.below(box.running.count))
            default:
                break
            }
            try follow(from: begunBefore)
            try check(box, model, context)
            try #require(box.machine.dropped == dropped, context)
        }

        if random.chance(1, in: 3) {
            let action = box.close()
            let discarded = model.waiting.map(\.letter) + model.outside.map(\.letter)
            try #require(action.discarded.map(\.number).sorted() == discarded.map(\.number).sorted(), context)
            try #require(action.producers == model.outside.map(\.token), context)
            // What was tried before was begun as well.
            let untried = Set(discarded.map(\.number)).subtracting(box.begun.map(\.number))
            box.settle()
            model.accepted.removeAll { untried.contains($0.number) }
        } else {
            while !box.resting.isEmpty {
                let begunBefore = box.begun.count
                model.wake(box.resting[0].letter)
                box.wake()
                try follow(from: begunBefore)
            }
            let begunBefore = box.begun.count
            box.settle()
            try follow(from: begunBefore)
            try #require(model.waiting.isEmpty && model.outside.isEmpty, context)
        }
        #expect(box.machine.isIdle && box.machine.count == 0, context)
        #expect(box.displaced.allSatisfy { model.standings[$0.number] == .displaceable }, context)
        let ended = Set((box.begun + box.displaced).map(\.number)).union(withdrawn)
        #expect(ended == Set(model.accepted.map(\.number)), context)
        // Each attempt but the last of an event was a failure, or ended in a rest that was cut short.
        let attempts = box.begun.count
        #expect(attempts <= Set(box.begun.map(\.number)).count + failures, context)
    }

    private func check(_ box: KeyedDriver, _ model: Model, _ context: Comment) throws {
        let setup = model.setup
        try #require(box.machine.count == model.waiting.count && model.room >= -setup.limit, context)
        try #require(model.outside.isEmpty || model.room <= 0 || setup.capacityBytes < .max, context)
        try #require(box.running.count + box.starting <= setup.limit, context)
        try #require(box.admitted == model.admitted, context)
        let keys = box.running.compactMap(\.key)
        try #require(Set(keys).count == keys.count, context)
        // Whoever could run has a worker, or one is on its way that will look.
        let canRun = setup.keys.contains { ($0 == nil || !keys.contains($0 ?? "")) && model.next($0) != nil }
        try #require(!canRun || box.starting > 0 || box.running.count == setup.limit, context)
    }
}

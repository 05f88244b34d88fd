import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("MailboxStateMachine against a model")
struct MailboxStateMachineModelTests {
    private typealias Letter = MailboxDriver.Letter

    private struct Setup {
        let capacity: Int
        let limit: Int
        let policy: OverflowPolicy
        let keys: [String?]

        var isSerial: Bool { limit == 1 && keys == [nil] }

        init(_ random: inout SplitMix64) {
            capacity = 1 + random.below(6)
            limit = 1 + random.below(4)
            policy = random.pick([.dropOldest, .dropNewest])
            keys = random.pick([[nil], ["a"], ["a", "b"], ["a", "b", "c", "d", "e"]])
        }
    }

    /// What waits, as a list that is searched from end to end.
    private struct Model {
        struct Entry {
            let letter: Letter
            let isKept: Bool
            var isResting = false
            var rank: Int
        }

        let setup: Setup
        var waiting: [Entry] = []
        var outside: [(token: UInt64, letter: Letter)] = []
        var accepted: [Letter] = []
        var admitted: [UInt64] = []
        var kept: Set<Int> = []
        var ranks: [Int: Int] = [:]
        var nextRank = 0

        var room: Int { setup.capacity - waiting.filter { !$0.isKept }.count }

        mutating func append(_ letter: Letter, isKept: Bool = false) {
            accepted.append(letter)
            if isKept { kept.insert(letter.number) }
            ranks[letter.number] = nextRank
            waiting.append(Entry(letter: letter, isKept: isKept, rank: nextRank))
            nextRank += 1
        }

        func victim(for key: String?) -> Letter? {
            let ordinary = waiting.filter { !$0.isKept }
            let ofKey = ordinary.filter { $0.letter.key == key }
            return (ofKey.isEmpty ? ordinary : ofKey).min { $0.rank < $1.rank }?.letter
        }

        mutating func rest(_ letter: Letter) {
            let isKept = kept.contains(letter.number)
            waiting.append(Entry(letter: letter, isKept: isKept, isResting: true, rank: ranks[letter.number] ?? -1))
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
            guard room > 0, !outside.isEmpty else { return }
            let (token, letter) = outside.removeFirst()
            append(letter)
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
        var box = MailboxDriver(capacity: setup.capacity, limit: setup.limit, policy: setup.policy)
        var model = Model(setup: setup)
        var token: UInt64 = 0
        var dropped = 0
        var failures = 0

        func follow(from begunBefore: Int) throws {
            for letter in box.begun[begunBefore...] {
                try #require(model.next(letter.key) == letter, context)
                model.took(letter)
            }
        }

        for _ in 0..<160 {
            let begunBefore = box.begun.count
            switch random.below(14) {
            case 0...3:
                let key = random.pick(setup.keys)
                let (displacedBefore, wasFull, victim) = (box.displaced.count, model.room <= 0, model.victim(for: key))
                let letter = box.offer(key: key)
                dropped += wasFull ? 1 : 0
                guard !wasFull || setup.policy == .dropOldest else {
                    try #require(box.refused.last == letter, context)
                    break
                }
                if wasFull {
                    try #require(Array(box.displaced[displacedBefore...]) == [victim].compactMap(\.self), context)
                    try #require(victim != nil, context)
                    model.waiting.removeAll { $0.letter == victim }
                }
                model.append(letter)
            case 4:
                token += 1
                let (letter, isSuspended) = box.send(key: random.pick(setup.keys), token: token)
                try #require(isSuspended == (model.room <= 0), context)
                if isSuspended { model.outside.append((token, letter)) } else { model.append(letter) }
            case 5:
                let victim = model.outside.isEmpty ? token + 1 : random.pick(model.outside.map(\.token))
                let wasThere = box.machine.sendCancelled(token: victim)
                try #require(wasThere == !model.outside.isEmpty, context)
                model.outside.removeAll { $0.token == victim }
            case 6 where model.kept.count < 20:
                model.append(box.offer(key: random.pick(setup.keys), isKept: true), isKept: true)
            case 7...8 where box.starting > 0:
                box.startWorker()
            case 9...10 where !box.running.isEmpty:
                let position = random.below(box.running.count)
                model.rest(box.running[position])
                failures += 1
                try #require(box.fail(at: position) == true, context)
            case 11...12 where !box.resting.isEmpty:
                let position = random.below(box.resting.count)
                model.wake(box.resting[position].letter)
                box.wake(at: position)
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
        #expect(Set(box.displaced.map(\.number)).isDisjoint(with: model.kept), context)
        let ended = Set((box.begun + box.displaced).map(\.number))
        #expect(ended == Set(model.accepted.map(\.number)), context)
        // Each attempt but the last of an event was a failure, or ended in a rest that was cut short.
        let attempts = box.begun.count
        #expect(attempts <= Set(box.begun.map(\.number)).count + failures, context)
    }

    private func check(_ box: MailboxDriver, _ model: Model, _ context: Comment) throws {
        let setup = model.setup
        try #require(box.machine.count == model.waiting.count && model.room >= -setup.limit, context)
        try #require(model.outside.isEmpty || model.room <= 0, context)
        try #require(box.running.count + box.starting <= setup.limit, context)
        try #require(box.admitted == model.admitted, context)
        let keys = box.running.compactMap(\.key)
        try #require(Set(keys).count == keys.count, context)
        // Whoever could run has a worker, or one is on its way that will look.
        let canRun = setup.keys.contains { ($0 == nil || !keys.contains($0 ?? "")) && model.next($0) != nil }
        try #require(!canRun || box.starting > 0 || box.running.count == setup.limit, context)
    }
}

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

        init(_ random: inout SplitMix64) {
            capacity = 1 + random.below(6)
            limit = 1 + random.below(4)
            policy = random.pick([.dropOldest, .dropNewest])
            keys = random.pick([[nil], ["a"], ["a", "b"], ["a", "b", "c", "d", "e"]])
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
        var waiting: [Letter] = []
        var outside: [(token: UInt64, letter: Letter)] = []
        var accepted: [Letter] = []
        var admitted: [UInt64] = []
        var token: UInt64 = 0
        var dropped = 0

        /// What a worker took was the first of its key in the list. It leaves the list, and lets one in from outside.
        func tookFrom(_ begunBefore: Int) throws {
            for letter in box.begun[begunBefore...] {
                let position = try #require(waiting.firstIndex(of: letter), context)
                let first = try #require(waiting.first { $0.key == letter.key }, context)
                #expect(first == letter, context)
                waiting.remove(at: position)
                if !outside.isEmpty {
                    let (token, letter) = outside.removeFirst()
                    waiting.append(letter)
                    accepted.append(letter)
                    admitted.append(token)
                }
            }
        }

        for _ in 0..<120 {
            let begunBefore = box.begun.count
            switch random.below(10) {
            case 0...3:
                let key = random.pick(setup.keys)
                let (displacedBefore, wasFull) = (box.displaced.count, waiting.count == setup.capacity)
                let letter = box.offer(key: key)
                dropped += wasFull ? 1 : 0
                guard !wasFull || setup.policy == .dropOldest else {
                    try #require(box.refused.last == letter, context)
                    break
                }
                if wasFull {
                    let victim = waiting.first { $0.key == key } ?? waiting[0]
                    try #require(Array(box.displaced[displacedBefore...]) == [victim], context)
                    waiting.removeAll { $0 == victim }
                }
                waiting.append(letter)
                accepted.append(letter)
            case 4:
                token += 1
                let (letter, isSuspended) = box.send(key: random.pick(setup.keys), token: token)
                try #require(isSuspended == (waiting.count == setup.capacity), context)
                if isSuspended {
                    outside.append((token, letter))
                } else {
                    waiting.append(letter)
                    accepted.append(letter)
                }
            case 5:
                let victim = outside.isEmpty ? token + 1 : random.pick(outside.map(\.token))
                let wasThere = box.machine.sendCancelled(token: victim)
                try #require(wasThere == !outside.isEmpty, context)
                outside.removeAll { $0.token == victim }
            case 6...7 where box.starting > 0:
                box.startWorker()
            case _ where !box.running.isEmpty:
                box.finish(at: random.below(box.running.count))
            default:
                break
            }
            try tookFrom(begunBefore)
            try check(box, waiting: waiting, setup, context)
            try #require(box.admitted == admitted && box.machine.dropped == dropped, context)
        }

        if random.chance(1, in: 3) {
            let action = box.machine.closed()
            let expected = (waiting + outside.map(\.letter)).map(\.number).sorted()
            try #require(action.discarded.map(\.number).sorted() == expected, context)
            try #require(action.producers == outside.map(\.token), context)
            box.settle()
            accepted.removeAll { letter in waiting.contains(letter) }
        } else {
            let begunBefore = box.begun.count
            box.settle()
            try tookFrom(begunBefore)
        }
        #expect(box.machine.isIdle && box.machine.count == 0, context)
        let ended = (box.begun + box.displaced).map(\.number).sorted()
        #expect(ended == accepted.map(\.number).sorted(), context)
    }

    private func check(_ box: MailboxDriver, waiting: [Letter], _ setup: Setup, _ context: Comment) throws {
        try #require(box.machine.count == waiting.count && waiting.count <= setup.capacity, context)
        try #require(box.running.count + box.starting <= setup.limit, context)
        let keys = box.running.compactMap(\.key)
        try #require(Set(keys).count == keys.count, context)
        // Whoever could run has a worker, or one is on its way that will look.
        let canRun = waiting.contains { $0.key == nil || !keys.contains($0.key ?? "") }
        try #require(!canRun || box.starting > 0 || box.running.count == setup.limit, context)
    }
}

import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("ChunkedStateMachine against a model")
struct ChunkedStateMachineModelTests {
    private typealias Letter = ChunkedDriver.Letter

    private struct Setup {
        let capacity: Int
        let capacityBytes: Int
        let limit: Int
        let threads: Int
        let policy: OverflowPolicy

        init(_ random: inout SplitMix64) {
            capacity = 1 + random.below(random.pick([6, 200]))
            capacityBytes = random.chance(1, in: 2) ? .max : 1 + random.below(200)
            limit = 1 + random.below(4)
            threads = 1 + random.below(4)
            policy = random.pick([.dropOldest, .dropNewest])
        }

        var machine: ChunkedStateMachine<Letter> {
            ChunkedStateMachine(
                capacity: capacity,
                capacityBytes: capacityBytes,
                limit: limit,
                policy: policy,
                threads: threads
            )
        }
    }

    /// What waits, as a list in the order of arrival.
    private struct Model {
        struct Entry {
            let letter: Letter
            let standing: Standing
        }

        let setup: Setup
        var waiting: [Entry] = []
        var outside: [(token: UInt64, letter: Letter)] = []
        var accepted: [Letter] = []
        var gone: [Letter] = []
        var dropped = 0
        /// How many of the first elements are in a chunk, how firmly they wait, and the bytes claimed from it.
        var inChunk = 0
        var standing = Standing.displaceable
        var spent = 0

        func load(_ standings: [Standing]) -> Load {
            let sizes = waiting.filter { standings.contains($0.standing) }.map(\.letter.size)
            // As long as anything of a chunk is left, all its bytes count.
            let bytes = sizes.reduce(inChunk > 0 && standings.contains(standing) ? spent : 0, +)
            return Load(count: sizes.count, bytes: bytes)
        }

        func hasRoom(for size: Int, beside standings: [Standing] = [.displaceable, .sent]) -> Bool {
            let load = load(standings)
            return load.count < setup.capacity && (load.count == 0 || load.bytes + size <= setup.capacityBytes)
        }

        mutating func append(_ letter: Letter, _ standing: Standing) {
            accepted.append(letter)
            waiting.append(Entry(letter: letter, standing: standing))
        }

        mutating func remove(at position: Int) {
            gone.append(waiting.remove(at: position).letter)
            if position < inChunk { inChunk -= 1 }
        }

        /// Returns what makes room for an element; nil if that is refused.
        mutating func offered(_ letter: Letter) -> [Letter]? {
            let isRefused = setup.policy == .dropNewest || !hasRoom(for: letter.size, beside: [.sent])
            guard hasRoom(for: letter.size) || !isRefused else {
                dropped += 1
                return nil
            }
            var victims: [Letter] = []
            while !hasRoom(for: letter.size),
                let position = waiting.firstIndex(where: { $0.standing == .displaceable })
            {
                victims.append(waiting[position].letter)
                remove(at: position)
            }
            dropped += victims.count
            append(letter, .displaceable)
            return victims
        }

        /// Whether a chunk of the first `length` elements is as long as the rules let it be, and no longer.
        func isChunk(_ length: Int, _ standing: Standing) -> Bool {
            let limit = min(64 * 1_024, setup.capacityBytes / 16)
            func fits(_ length: Int) -> Bool {
                let first = waiting.prefix(length)
                let bytes = standing == .kept ? 0 : first.map(\.letter.size).reduce(0, +)
                return first.count == length && length <= 64 && first.allSatisfy { $0.standing == standing }
                    && (length == 1 || bytes <= limit)
            }
            return inChunk == 0 && fits(length) && !fits(length + 1)
        }

        mutating func follow(_ steps: [ChunkedDriver.Step], _ context: Comment) throws {
            for step in steps {
                switch step {
                case .handedOut(let length, let standing):
                    try #require(isChunk(length, standing), context)
                    (inChunk, self.standing, spent) = (length, standing, 0)
                case .claimed(let letter):
                    try #require(inChunk > 0 && waiting.first?.letter == letter, context)
                    remove(at: 0)
                    spent += letter.size
                case .admitted(let token):
                    let first = try #require(outside.first, context)
                    try #require(first.token == token && hasRoom(for: first.letter.size), context)
                    outside.removeFirst()
                    append(first.letter, .sent)
                }
            }
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
        var box = ChunkedDriver(setup.machine)
        var model = Model(setup: setup)
        var token: UInt64 = 0
        for _ in 0..<200 {
            switch random.below(16) {
            case 0...2:
                let letter = box.letter(size: random.below(8))
                try offer(letter, &box, &model, context)
            case 3:
                let letters = (0..<1 + random.below(setup.capacity)).map { _ in box.letter(size: random.below(3)) }
                try offer(together: letters, &box, &model, context)
            case 4:
                token += 1
                let letter = box.letter(size: random.below(8))
                let waits = !model.outside.isEmpty || !model.hasRoom(for: letter.size)
                try #require(box.send(letter, token: token) == waits, context)
                if waits { model.outside.append((token, letter)) } else { model.append(letter, .sent) }
            case 5:
                let victim = model.outside.isEmpty ? token + 1 : random.pick(model.outside.map(\.token))
                let cancelled = box.machine.sendCancelled(token: victim)
                try #require(cancelled == model.outside.first { $0.token == victim }?.letter, context)
                model.outside.removeAll { $0.token == victim }
            case 6:
                let letter = box.letter(size: 9)
                try #require(box.offer(letter, isKept: true) == (true, []), context)
                model.append(letter, .kept)
            case 7 where random.chance(1, in: 4):
                try withdraw(random.below(2), &box, &model, context)
            case 8:
                box.machine.measured(areShort: random.chance(1, in: 2))
            case 9...10 where box.starting > 0:
                box.startWorker()
            case 11...12 where !box.working.isEmpty:
                box.suspend(at: random.below(box.working.count))
            case 13 where !box.working.isEmpty:
                box.endTurn(at: random.below(box.working.count))
            case 14 where !box.paused.isEmpty:
                box.resumeShift()
            case _ where !box.working.isEmpty:
                box.finish(at: random.below(box.working.count))
            default:
                break
            }
            try model.follow(box.takeSteps(), context)
            try check(box, model, context)
        }
        try end(&box, &model, isClosed: random.chance(1, in: 3), context)
    }

    private func offer(
        _ letter: Letter,
        _ box: inout ChunkedDriver,
        _ model: inout Model,
        _ context: Comment
    ) throws {
        let (isTaken, displaced) = box.offer(letter)
        let victims = model.offered(letter)
        try #require(isTaken == (victims != nil) && displaced == victims ?? [], context)
    }

    private func offer(
        together letters: [Letter],
        _ box: inout ChunkedDriver,
        _ model: inout Model,
        _ context: Comment
    ) throws {
        let (load, setup) = (model.load([.displaceable, .sent]), model.setup)
        let bytes = letters.map(\.size).reduce(0, +)
        let fit = load.count + letters.count <= setup.capacity && bytes <= setup.capacityBytes - load.bytes
        try #require(box.offerTogether(letters) == fit, context)
        for letter in letters {
            if fit { model.append(letter, .displaceable) } else { try offer(letter, &box, &model, context) }
        }
    }

    /// Takes back kept elements, which are the ones that a transport owns.
    private func withdraw(
        _ rest: Int,
        _ box: inout ChunkedDriver,
        _ model: inout Model,
        _ context: Comment
    ) throws {
        let meant = model.waiting.filter { $0.standing == .kept && $0.letter.number % 2 == rest }.map(\.letter)
        try #require(box.withdraw(Set(meant.map(\.number))) == meant, context)
        model.waiting.removeAll { meant.contains($0.letter) }
        model.gone += meant
        // The chunk is taken apart.
        model.inChunk = 0
    }

    private func end(
        _ box: inout ChunkedDriver,
        _ model: inout Model,
        isClosed: Bool,
        _ context: Comment
    ) throws {
        if isClosed {
            let action = box.machine.closed()
            try #require(action.discarded == model.waiting.map(\.letter) + model.outside.map(\.letter), context)
            try #require(action.producers == model.outside.map(\.token), context)
            try #require(action.isIdle == (box.workers == 0), context)
            model.gone += model.waiting.map(\.letter)
            (model.waiting, model.outside) = ([], [])
            try #require(box.offer(box.letter(size: 1)) == (false, []), context)
        }
        let retiredIdle = box.retiredIdle
        let hadWorkers = box.workers > 0
        box.settle()
        try model.follow(box.takeSteps(), context)
        #expect(model.waiting.isEmpty && model.outside.isEmpty, context)
        #expect(box.machine.isIdle && box.machine.workersUntilIdle != nil && box.machine.count == 0, context)
        #expect(box.retiredIdle - retiredIdle == (hadWorkers ? 1 : 0), context)
        #expect(box.machine.dropped == model.dropped, context)
        #expect(model.gone.map(\.number).sorted() == model.accepted.map(\.number).sorted(), context)
    }

    private func check(_ box: ChunkedDriver, _ model: Model, _ context: Comment) throws {
        let (setup, load) = (model.setup, model.load([.displaceable, .sent]))
        try #require(box.machine.count == model.waiting.count && box.machine.dropped == model.dropped, context)
        try #require(load.count <= setup.capacity, context)
        try #require(load.count <= 1 || load.bytes <= setup.capacityBytes, context)
        try #require(box.workers <= setup.limit && box.workers == box.machine.workers.count, context)
        // One worker may be on its way while a suspended one hands over its thread.
        try #require(box.working.filter(\.isOnDuty).count + box.paused.count <= setup.threads + 1, context)
        // A producer outside is let in by the next claim, so there must be one.
        try #require(model.outside.isEmpty || load.count > 0, context)
        // An element that waits has a worker that looks for it, unless all workers are in calls.
        try #require(model.waiting.isEmpty || box.isAttended || box.workers == setup.limit, context)
    }
}

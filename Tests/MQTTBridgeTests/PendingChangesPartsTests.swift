import MessageStore
import Testing

@testable import MQTTBridge

@Suite("Pending changes in parts")
struct PendingChangesPartsTests {
    private func done(_ sequence: Int64) -> PendingChanges.Done { .init(sequence: sequence, route: "r", size: 1) }

    private func letter(_ sequence: Int64) -> DeadLetter {
        DeadLetter(OutboundRecord.sample(sequence), error: "no", attempts: 1, died: 0)
    }

    @Test("what removes comes first, but for messages whose dead letters must be kept with it")
    func removals() {
        var changes = PendingChanges()
        changes.finished = [done(1), done(2)]
        changes.published = [done(3), done(4)]
        let progress = ListenerProgress(isFinished: true, attempts: 0)
        changes.progress = [5, 6].map { .init(sequence: $0, listener: "l", progress: progress) }
        changes.add(.sample())
        changes.life = .ended
        for sequence: Int64 in [2, 4, 6] { changes.addDeadLetter(letter(sequence), for: sequence) }
        let removals = changes.takeRemovals()
        #expect(removals.finished == [done(1)] && removals.published == [done(3)])
        #expect(removals.progress.map(\.sequence) == [5] && removals.deadLetters.isEmpty && removals.departures.isEmpty)
        #expect(removals.life == .ended && changes.life == nil)
        // They stay together when they could not be kept and more has come.
        var later = PendingChanges()
        later.finished = [done(7)]
        later.putBack(changes.takeDeadLetters())
        #expect(later.takeRemovals().finished == [done(7)])
        let letters = later.takeDeadLetters()
        #expect(letters.deadLetters.map(\.tag) == ["2", "4", "6"] && letters.progress.map(\.sequence) == [6])
        #expect(letters.finished == [done(2)] && letters.published == [done(4)])
        #expect(later.isEmpty && changes.departures.count == 1)
    }

    @Test("removals can be taken a few at a time, in order, and nothing is noted of a message that is done with")
    func removalSlices() {
        var changes = PendingChanges()
        changes.published = (1...5).map(done)
        changes.finished = (6...10).map(done)
        let progress = ListenerProgress(isFinished: true, attempts: 0)
        changes.progress = [10, 11, 12, 13].map { .init(sequence: $0, listener: "l", progress: progress) }
        changes.life = .ended
        changes.addDeadLetter(letter(3), for: 3)
        var parts: [PendingChanges] = []
        while changes.hasRemovals { parts.append(changes.takeRemovals(limit: 2)) }
        #expect(parts.map { $0.published.map(\.sequence) } == [[1, 2], [4, 5], []])
        #expect(parts.map { $0.finished.map(\.sequence) } == [[6, 7], [8, 9], [10]])
        #expect(parts.map { $0.progress.map(\.sequence) } == [[11, 12], [13], []])
        #expect(parts.map(\.life) == [.ended, nil, nil])
        #expect(changes.takeDeadLetters().published == [done(3)])
    }

    @Test("slices of emits are bounded by number and bytes, and keep their order")
    func slices() {
        var changes = PendingChanges()
        for number in 0..<300 { changes.add(.sample(topic: "\(number)")) }
        for number in 300..<303 { changes.add(.sample(topic: "\(number)", payload: 700_000)) }
        changes.add(.sample(topic: "303", payload: 2_000_000))
        var counts: [Int] = []
        var topics: [String] = []
        while !changes.departures.isEmpty {
            let slice = changes.takeSlice()
            counts.append(slice.departures.count)
            topics += slice.departures.map(\.record.topic)
        }
        #expect(counts == [256, 45, 1, 1, 1])
        #expect(topics == (0..<304).map(String.init))
        #expect(changes.hasRoom(for: PendingChanges.departureBytes))
    }
}

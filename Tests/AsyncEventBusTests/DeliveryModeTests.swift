import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("Delivery", .timeLimit(.deadlock))
struct DeliveryTests {
    private let bus = EventBus(logger: .silent)
    private let heard = Journal<String>()

    @Test("a serial listener hears one emitter's 100,000 events in the order emitted")
    func serialOrder() async {
        let numbers = Journal<Int>()
        bus.on("a", delivery: .serial, .capacity(100_000)) { numbers.write($0.number) }
        for number in 0..<100_000 { bus.emit("a", Payload(number: number)) }
        await bus.waitUntilIdle()
        #expect(numbers.entries == Array(0..<100_000))
    }

    @Test("emitters in parallel each keep their own order", arguments: [true, false])
    func manyEmitters(byThread: Bool) async {
        let (bus, heard) = (bus, Journal<(emitter: String, number: Int)>())
        bus.on("*", delivery: .serial, .capacity(20_000)) { heard.write(($0.name.text, $0.number)) }
        await withTaskGroup { group in
            for emitter in 0..<4 {
                group.addTask {
                    for number in 0..<5_000 {
                        bus.emit(EventName(spelled: "emitter\(emitter)"), Payload(number: number))
                        // By task: the emitter wakes up on another thread now and then, and still is the same emitter.
                        if !byThread, number % 100 == 0 { await Task.yield() }
                    }
                }
            }
        }
        await bus.waitUntilIdle()
        for emitter in 0..<4 {
            let numbers = heard.entries.filter { $0.emitter == "emitter\(emitter)" }.map(\.number)
            #expect(numbers == Array(0..<5_000))
        }
    }

    @Test("a concurrent listener runs as many calls at a time as its limit, and no more", arguments: [1, 2, 7, 64])
    func parallel(limit: Int) async {
        let (begun, gate, running) = (Journal<Int>(), Gate(), Crowd())
        let listener = bus.on("a", delivery: .concurrent(limit: limit)) { event in
            running.enter()
            begun.write(event.number)
            await gate.pass()
            running.leave()
        }
        for number in 0..<(3 * limit) { bus.emit("a", Payload(number: number)) }
        await begun.wait(for: limit)
        #expect(begun.count == limit)
        #expect(bus.load(of: listener)?.waiting == 2 * limit)
        gate.open()
        await bus.waitUntilIdle()
        #expect(begun.entries.sorted() == Array(0..<(3 * limit)))
        #expect(running.most == limit)
    }

    @Test("a slow listener delays no other, nor the emitter")
    func slowListener() async {
        let (heard, gate) = (heard, Gate())
        let slow = bus.on("a", name: "slow", delivery: .serial) { _ in await gate.pass() }
        bus.on("a", name: "quick", delivery: .serial) { heard.hear($0) }
        for number in 0..<500 { bus.emit("a", "\(number)") }
        #expect(await heard.wait(for: 500) == (0..<500).map(String.init))
        #expect((bus.load(of: slow)?.waiting ?? 0) >= 499)
        gate.open()
        await bus.waitUntilIdle()
        #expect(bus.load(of: slow)?.waiting == 0)
    }

    @Test("a keyed listener that is slow with one key hears the others")
    func keyed() async {
        let (heard, gate) = (heard, Gate())
        bus.on("*", delivery: .keyed(limit: 2) { $0.name.text }) { event in
            heard.write("begin \(event.name) \(event.number)")
            if event.name == "slow" { await gate.pass() }
            heard.write("end \(event.name) \(event.number)")
        }
        for number in 0..<3 { bus.emit("slow", Payload(number: number)) }
        for number in 0..<3 { bus.emit("quick", Payload(number: number)) }
        let early = await heard.wait(for: 7)
        #expect(early.filter { $0.contains("slow") } == ["begin slow 0"])
        #expect(early.filter { $0.contains("quick") } == (0..<3).flatMap { ["begin quick \($0)", "end quick \($0)"] })
        gate.open()
        await bus.waitUntilIdle()
        let slow = heard.entries.filter { $0.contains("slow") }
        #expect(slow == (0..<3).flatMap { ["begin slow \($0)", "end slow \($0)"] })
    }

    @Test("keys run in parallel up to the limit, each in order and one call at a time", arguments: Seed.fresh(2))
    func keyedOrder(seed: Seed) async {
        var random = seed.random
        let crowds = (0..<8).map { _ in Crowd() }
        let (everyone, heard) = (Crowd(), Journal<(key: Int, number: Int)>())
        bus.on("*", delivery: .keyed(limit: 4) { $0.name.text }, .capacity(4_000)) { event in
            let key = Int(event.name.text) ?? 0
            everyone.enter()
            crowds[key].enter()
            await Task.yield()
            heard.write((key, event.number))
            crowds[key].leave()
            everyone.leave()
        }
        for number in 0..<4_000 { bus.emit(EventName(spelled: "\(random.below(8))"), Payload(number: number)) }
        await bus.waitUntilIdle()
        #expect(heard.count == 4_000, "\(seed)")
        #expect(everyone.most <= 4, "\(seed)")
        for key in 0..<8 {
            let numbers = heard.entries.filter { $0.key == key }.map(\.number)
            #expect(numbers == numbers.sorted(), "\(seed)")
            #expect(crowds[key].most == 1, "\(seed)")
        }
    }

    @Test("a listener without room for one call or one event is a programmer's mistake")
    func traps() async {
        await #expect(processExitsWith: .failure) { _ = DeliveryMode.concurrent(limit: 0) }
        await #expect(processExitsWith: .failure) { _ = DeliveryMode.keyed(limit: 0) { _ in "" } }
        await #expect(processExitsWith: .failure) { _ = Listener("l", .capacity(0)) { _ in } }
    }
}

import AsyncAlgorithms
import AsyncEventBus
import OpenCombine

/// What is delivered by the buses that are not ours.
struct SampleEvent: Sendable {
    let name: String
    let payload: [UInt8]
}

private let sample = SampleEvent(name: "bench.0", payload: [UInt8](repeating: 0, count: 64))

/// An async listener, as all of the buses have it.
private typealias AsyncListener = @Sendable (SampleEvent) async -> Void

extension Buses {
    func runAsyncEventBus(_ counter: DeliveryCounter) async {
        let bus = EventBus()
        for _ in 0..<listeners { bus.on("bench.*", .capacity(1_024)) { _ in counter.increment() } }
        let payload = Payload(sample.payload)
        // Waits where there is no room, so that every event is heard.
        for _ in 0..<events { try? await bus.emitWhenRoom("bench.0", payload) }
    }

    /// The original idea: each delivery is a task of its own.
    func runTaskPerDelivery(_ counter: DeliveryCounter) async {
        let all: [AsyncListener] = (0..<listeners).map { _ in { _ in counter.increment() } }
        for _ in 0..<events {
            // One task for each delivery; the counter knows when all have ended.
            for listener in all { Task { await listener(sample) } }
        }
    }

    func runAsyncStream(_ counter: DeliveryCounter) async {
        let streams = (0..<listeners).map { _ in AsyncStream.makeStream(of: SampleEvent.self) }
        await withTaskGroup { group in
            for (stream, _) in streams {
                group.addTask { for await _ in stream { counter.increment() } }
            }
            for _ in 0..<events { for (_, continuation) in streams { continuation.yield(sample) } }
            for (_, continuation) in streams { continuation.finish() }
        }
    }

    func runAsyncChannel(_ counter: DeliveryCounter) async {
        let channels = (0..<listeners).map { _ in AsyncChannel<SampleEvent>() }
        await withTaskGroup { group in
            for channel in channels {
                group.addTask { for await _ in channel { counter.increment() } }
            }
            for _ in 0..<events { for channel in channels { await channel.send(sample) } }
            for channel in channels { channel.finish() }
        }
    }

    /// Synchronous: the emitter runs the listeners.
    func runOpenCombine(_ counter: DeliveryCounter) {
        let subject = PassthroughSubject<SampleEvent, Never>()
        let all = (0..<listeners).map { _ in subject.sink { _ in counter.increment() } }
        for _ in 0..<events { subject.send(sample) }
        for one in all { one.cancel() }
    }
}

import ArgumentParser
import AsyncEventBus
import Synchronization

/// Delivers so many events to each of so many listeners in this process, over one bus, and prints how many
/// nanoseconds of the clock a delivery takes.
@main
struct Buses: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "buses")

    /// A way to reach listeners.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case asyncEventBus, taskPerDelivery, asyncStream, asyncChannel, openCombine
    }

    @Argument var kind: Kind
    @Argument var listeners: Int
    @Argument var events: Int

    func run() async throws {
        let counter = DeliveryCounter(target: listeners * events)
        let clock = ContinuousClock()
        let start = clock.now
        switch kind {
        case .asyncEventBus: await runAsyncEventBus(counter)
        case .taskPerDelivery: await runTaskPerDelivery(counter)
        case .asyncStream: await runAsyncStream(counter)
        case .asyncChannel: await runAsyncChannel(counter)
        case .openCombine: runOpenCombine(counter)
        }
        await counter.becomeComplete()
        let span = (clock.now - start).components
        let nanoseconds = Double(span.seconds) * 1e9 + Double(span.attoseconds) / 1e9
        print("{\"nanoseconds\":\(nanoseconds / Double(listeners * events))}")
    }
}

/// Counts deliveries, and lets one task wait for all of them.
final class DeliveryCounter: Sendable {
    private let target: Int
    private let count = Atomic(0)
    private let whole: AsyncStream<Void>.Continuation
    private let end: AsyncStream<Void>

    init(target: Int) {
        self.target = target
        (end, whole) = AsyncStream.makeStream()
    }

    func increment() {
        if count.add(1, ordering: .relaxed).newValue == target { whole.finish() }
    }

    func becomeComplete() async { for await _ in end {} }
}

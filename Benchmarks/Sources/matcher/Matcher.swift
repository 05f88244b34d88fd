import ArgumentParser
import AsyncEventBus
import Synchronization

/// How long the bus takes to find who wants an event, among many patterns.
///
/// The bus has one transport, attached to all the patterns, which only counts: an emit makes an event, looks up who
/// wants it and hands it over. Of a name not seen before, what is told is how much longer that takes than for a name
/// that was just looked up; of a name seen before, the whole emit.
@main
struct Matcher: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "matcher")

    @Argument var patterns: Int
    @Argument var topics: Int
    @Argument var rounds: Int

    func run() throws {
        let names = try (0..<topics).map { try EventName(Self.name($0)) }
        let all = Counter()
        let bus = EventBus()
        bus.attach(all, to: try (0..<patterns).map { try EventPattern(Self.pattern($0)) })
        // Each name for the first time.
        let unseen = Self.nanoseconds(of: topics) { for name in names { bus.emit(name, scope: .broker) } }
        // As many as the bus keeps: the caches of others have no limit.
        let kept = Array(names.prefix(4_096))
        for name in kept { bus.emit(name, scope: .broker) }
        let seen = Self.nanoseconds(of: kept.count * rounds) {
            for _ in 0..<rounds { for name in kept { bus.emit(name, scope: .broker) } }
        }
        guard all.value == topics + kept.count * (rounds + 1) else { throw ValidationError("a topic found nobody") }
        print("{\"unseen\":\(unseen - hot(bus, names[0])),\"seen\":\(seen)}")
    }

    /// An emit of one name, whose targets are found at once.
    private func hot(_ bus: EventBus, _ name: EventName) -> Double {
        Self.nanoseconds(of: 100_000) { for _ in 0..<100_000 { bus.emit(name, scope: .broker) } }
    }

    private static func nanoseconds(of count: Int, _ body: () -> Void) -> Double {
        let span = ContinuousClock().measure(body).components
        return (Double(span.seconds) * 1e9 + Double(span.attoseconds) / 1e9) / Double(count)
    }

    /// See trie/patterns.hpp.
    private static func pattern(_ number: Int) -> String {
        let (building, part) = ("building\(number / 100 % 100)", number % 100)
        return switch number % 3 {
        case 0: "\(building).room\(part).*.value"
        case 1: "\(building).*.device\(part).value"
        default: "\(building).room\(part).**"
        }
    }

    private static func name(_ number: Int) -> String {
        "building\(number / 100 % 100).room\(number % 100).device\(number % 100).value"
    }
}

/// A transport that counts what it is offered.
final class Counter: EventRelay {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .relaxed) }

    func take(_ event: Event, receipt: Receipt?) -> RelayAnswer {
        count.add(1, ordering: .relaxed)
        return .taken
    }

    func discarded(_ event: Event) {}
    func waitForRoom(for event: Event) async throws {}
}

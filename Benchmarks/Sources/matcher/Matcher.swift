import ArgumentParser
import AsyncEventBus

/// How long the bus takes to find who wants an event, among many patterns with a listener each.
@main
struct Matcher: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "matcher")

    @Argument var patterns: Int
    @Argument var topics: Int
    @Argument var rounds: Int

    func run() throws {
        let names = try (0..<topics).map { try EventName(Self.name($0)) }
        let bus = EventBus()
        for number in 0..<patterns { bus.on(try EventPattern(Self.pattern(number))) { _ in } }
        var found = 0
        // Each name for the first time.
        let unseen = Self.nanoseconds(of: topics) { for name in names { found += bus.listenerCount(for: name) } }
        // As many as the bus keeps: the caches of others have no limit.
        let kept = Array(names.prefix(4_096))
        for name in kept { found += bus.listenerCount(for: name) }
        let seen = Self.nanoseconds(of: kept.count * rounds) {
            for _ in 0..<rounds { for name in kept { found += bus.listenerCount(for: name) } }
        }
        // Of these patterns and names, each name has one at least.
        guard found >= topics + kept.count * (rounds + 1) else { throw ValidationError("a topic found nobody") }
        print("{\"unseen\":\(unseen),\"seen\":\(seen)}")
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

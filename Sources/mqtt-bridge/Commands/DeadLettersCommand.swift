import ArgumentParser
import AsyncEventBus
import Glibc
import MQTTBridge
import MQTTBridgeConfiguration
import MessageStore
import SQLiteStore

/// `mqtt-bridge dead-letters`: the commands for dead letters.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "List, show, replay or drop dead letters; also while a bridge uses the store.",
        subcommands: [
            ListDeadLettersCommand.self, ShowDeadLetterCommand.self, ReplayDeadLettersCommand.self,
            DropDeadLettersCommand.self,
        ]
    )
}

/// `mqtt-bridge dead-letters list`: prints one line for each dead letter.
struct ListDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List dead letters in the order of their numbers, one per line."
    )

    @OptionGroup var location: StoreLocation
    @OptionGroup var conditions: DeadLetterConditions

    @Option(help: "The maximum number of dead letters to list.")
    var limit: Int?

    @Option(help: "The output format: text for people, json for programs.")
    var format: OutputFormat = .text

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit is a number from 1") }
    }

    func run() async throws {
        try await ExitCode.reporting {
            try location.withStore { store in
                var count = 0
                try store.forEachDeadLetter(conditions.filter(in: store)) { letter in
                    print(format == .json ? letter.json : letter.line)
                    count += 1
                    return count < limit ?? .max
                }
                if count == 0, format == .text { print("no dead letters") }
            }
        }
    }
}

/// `mqtt-bridge dead-letters show`: prints all fields of one dead letter.
struct ShowDeadLetterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one dead letter with its payload."
    )

    @OptionGroup var location: StoreLocation

    @Argument(help: "The number of the dead letter.")
    var id: Int64

    @Option(help: "The output format: text for people, json for programs.")
    var format: OutputFormat = .text

    func run() async throws {
        try await ExitCode.reporting {
            let letter = try location.withStore { store in
                try store.deadLetters(DeadLetterFilter(numbers: [id]), limit: 1).first
            }
            guard let letter else { throw StoreError.noDeadLetters([id]) }
            print(format == .json ? letter.fullJSON : letter.fullText)
        }
    }
}

/// The conditions that select dead letters.
struct DeadLetterConditions: ParsableArguments {
    @Option(help: "Only dead letters of the route with this name.")
    var route: String?

    @Option(
        help: ArgumentHelp("Only dead letters that are older than this, as in 30m, 2h or 7d.", valueName: "duration"),
        transform: { text in
            if let duration = Duration(configurationText: text) { return duration }
            throw ValidationError("write a whole number and a unit (\(Duration.configurationUnits)), as in 2h")
        }
    )
    var olderThan: Duration?

    var areGiven: Bool { route != nil || olderThan != nil }

    /// - Parameter store: Its clock determines the age, since the bridge dates dead letters by that clock.
    func filter(in store: SQLiteStore) throws -> DeadLetterFilter {
        let moment = try olderThan.map { try Self.moment($0, before: StoreClock(store).now) }
        return DeadLetterFilter(route: route, diedBefore: moment)
    }

    /// Returns the moment in nanoseconds; the earliest one if the duration is too long to be subtracted.
    private static func moment(_ duration: Duration, before now: Int64) -> Int64 {
        let age = duration.components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let fraction = duration.components.attoseconds / 1_000_000_000
        return age.overflow ? .min : now - age.partialValue - fraction
    }
}

extension SQLiteStore {
    /// The most letters and bytes of one slice.
    private static let slice = (count: 64, bytes: 4 * 1024 * 1024)

    /// Calls `body` for slices of the letters that match a filter, with pauses in which the bridge that uses the store can
    /// write.
    func forEachSlice(_ filter: DeadLetterFilter, _ body: ([LetterEntry]) throws -> Void) throws {
        var filter = filter
        while true {
            let entries = try deadLetterIndex(filter, limit: Self.slice.count)
            guard let first = entries.first else { return }
            var bytes = 0
            let slice = entries.prefix {
                bytes += $0.size
                return bytes <= Self.slice.bytes || $0 == first
            }
            let start = ContinuousClock.now
            try body(Array(slice))
            usleep(UInt32(max(1_000, min(100_000, start.duration(to: .now) / .microseconds(1)))))
            filter.after = slice.last?.number ?? .max
        }
    }

    /// Calls `body` for each letter, in the order of their numbers, until it returns false.
    func forEachDeadLetter(_ filter: DeadLetterFilter, _ body: (DeadLetter) throws -> Bool) throws {
        var filter = filter
        while true {
            let letters = try deadLetters(filter, limit: 256)
            for letter in letters where try !body(letter) { return }
            guard let last = letters.last else { return }
            filter.after = last.number
        }
    }
}

extension StoreError {
    /// Returns the error for numbers without a dead letter.
    static func noDeadLetters(_ numbers: [Int64]) -> StoreError {
        let list = numbers.map(String.init).joined(separator: ", ")
        return StoreError(
            .missing,
            operation: "find the dead letters \(list)",
            advice: "See: mqtt-bridge dead-letters list"
        )
    }
}

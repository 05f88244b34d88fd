import ArgumentParser
import BridgeDaemon
import MQTTBridge
import MessageStore
import SQLiteStore

/// `mqtt-bridge dead-letters replay`: requests a replay of dead letters.
struct ReplayDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replay dead letters through the bridge that uses the store.",
        discussion: "A running bridge replays them within a second, otherwise the next one when it starts."
    )

    @OptionGroup var location: StoreLocation
    @OptionGroup var selection: DeadLetterSelection

    @Option(help: "The output format: text for people, json for programs.")
    var format: OutputFormat = .text

    func run() async throws {
        try await ExitCode.reporting {
            let (requested, empty, owner) = try location.withStore { store in
                try selection.demandThere(in: store)
                var (requested, empty): (Int, [Int64]) = (0, [])
                try store.forEachSlice(selection.filter(in: store)) { entries in
                    // A letter without a payload cannot be replayed.
                    empty += entries.filter { !$0.hasPayload }.map(\.number)
                    let numbers = entries.filter(\.hasPayload).map(\.number)
                    requested += try store.requestReplay(of: DeadLetterFilter(numbers: numbers))
                }
                return (requested, empty, StoreOwner(of: store.path))
            }
            switch format {
            case .json:
                let numbers = empty.map(String.init).joined(separator: ",")
                print(
                    JSONText.object([
                        ("requested", String(requested)), ("without_payload", "[\(numbers)]"), ("process", owner.json),
                    ])
                )
            case .text:
                print("\(requested) dead letter(s) to run again\(requested > 0 ? ": " + Self.when(owner) : "")")
            }
            guard !empty.isEmpty else { return }
            let numbers = empty.map(String.init).joined(separator: ", ")
            StandardError.write(
                "mqtt-bridge: without a payload, which was too large to be kept, these cannot run again: \(numbers)"
            )
            if !selection.all { throw ExitCode(.unusableData) }
        }
    }

    private static func when(_ owner: StoreOwner) -> String {
        switch owner {
        case .nobody: "no bridge uses the store; they run when the daemon starts"
        case .process(let id): "\(id.map { "process \($0)" } ?? "the bridge") takes them up within a second"
        }
    }
}

/// `mqtt-bridge dead-letters drop`: deletes dead letters.
struct DropDeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Delete dead letters."
    )

    @OptionGroup var location: StoreLocation
    @OptionGroup var selection: DeadLetterSelection

    @Option(help: "The output format: text for people, json for programs.")
    var format: OutputFormat = .text

    func run() async throws {
        try await ExitCode.reporting {
            let dropped = try location.withStore { store in
                try selection.demandThere(in: store)
                var dropped = 0
                try store.forEachSlice(selection.filter(in: store)) { entries in
                    dropped += try store.dropDeadLetters(DeadLetterFilter(numbers: entries.map(\.number)))
                }
                return dropped
            }
            print(
                format == .json
                    ? JSONText.object([("dropped", String(dropped))]) : "\(dropped) dead letter(s) dropped"
            )
        }
    }
}

/// The dead letters that a command changes: by number, or all that meet conditions.
struct DeadLetterSelection: ParsableArguments {
    @Argument(help: "The numbers of the dead letters.")
    var ids: [Int64] = []

    @Flag(help: "All dead letters, or all that meet the conditions.")
    var all = false

    @OptionGroup var conditions: DeadLetterConditions

    func validate() throws {
        guard all || !ids.isEmpty else { throw ValidationError("name numbers of dead letters, or --all") }
        guard !all || ids.isEmpty else { throw ValidationError("--all goes without numbers") }
        guard all || !conditions.areGiven else { throw ValidationError("--route and --older-than go with --all") }
    }

    func filter(in store: SQLiteStore) throws -> DeadLetterFilter {
        try all ? conditions.filter(in: store) : DeadLetterFilter(numbers: ids)
    }

    /// Checks that the dead letters with the given numbers exist.
    ///
    /// - Throws: `StoreError` `.missing` if one does not.
    func demandThere(in store: SQLiteStore) throws {
        guard !all else { return }
        var missing = Set(ids)
        try store.forEachSlice(DeadLetterFilter(numbers: ids)) { missing.subtract($0.map(\.number)) }
        guard missing.isEmpty else { throw StoreError.noDeadLetters(missing.sorted()) }
    }
}

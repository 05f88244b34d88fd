internal import Foundation
internal import MessageStore
internal import SQLiteStore

/// Opens an image of a power cut like a bridge, and checks it.
struct ImageCheck {
    /// The state of the store after each step; the first element is the initial state.
    let states: [StoreState]
    let options: SQLiteStoreOptions

    /// The sequence of a message that no step uses.
    private static let fresh: Int64 = 1 << 40

    /// The result of a check.
    enum Outcome {
        /// The image holds the state after this step.
        case holds(step: Int)
        case violated(String)
    }

    /// - Parameters:
    ///   - allowed: The steps whose state the image may hold.
    ///   - writesMore: Whether to commit and read a message, in addition to the writes of a start.
    func check(_ path: String, allowed: ClosedRange<Int>, writesMore: Bool) -> Outcome {
        var options = options
        options.path = path
        do {
            let store = try SQLiteStore.open(options)
            defer { store.close() }
            let problems = try store.check()
            guard problems.isEmpty else { return .violated("its check finds: \(problems.joined(separator: "; "))") }
            let contents = try StoreContents(of: store)
            let steps = allowed.filter { states[$0].contents == contents }
            guard let last = steps.last else { return .violated(explain(contents, allowed)) }
            // `recover()` writes too. Steps may differ in their identities alone.
            let seen = try store.recover().seen
            guard let step = steps.last(where: { states[$0].seen == seen }) else {
                return .violated("the identities that it remembers are not those of step \(last)")
            }
            return try writesMore ? write(store) ?? .holds(step: step) : .holds(step: step)
        } catch {
            // Without the folder, whose name differs each time.
            return .violated("\(error)".replacing(path, with: lastName(of: path)))
        }
    }

    private func write(_ store: SQLiteStore) throws -> Outcome? {
        try store.commit(.with { $0.departures = [.sample(Self.fresh)] })
        let last = try store.outbound(to: "main", after: Self.fresh - 1, limit: 1, bytes: .max)
        return last == [.sample(Self.fresh)] ? nil : .violated("it does not keep what is written")
    }

    private func explain(_ contents: StoreContents, _ allowed: ClosedRange<Int>) -> String {
        let wanted =
            allowed.count == 1
            ? "step \(allowed.lowerBound)" : "any of the steps \(allowed.lowerBound) to \(allowed.upperBound)"
        if let step = states.lastIndex(where: { $0.contents == contents }) {
            return "it holds what there was after step \(step), not after \(wanted)"
        }
        return "it holds what there was after no step, and must hold that of \(wanted)"
    }
}

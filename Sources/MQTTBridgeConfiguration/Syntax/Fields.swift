import Mosquitto

/// A mapping with a fixed set of keys.
struct Fields {
    /// The mapping.
    let element: Element
    private let values: [String: Element]

    /// Complains about a value that is not a mapping, and about unknown keys.
    ///
    /// - Parameter example: A valid mapping, for the complaint about another kind of value.
    init?(_ element: Element, keys: [String], secrets: Set<String> = [], example: String) {
        guard let pairs = element.pairs(example: example, secrets: secrets) else { return nil }
        self.element = element
        values = Dictionary(pairs.filter { keys.contains($0.name) }.map { ($0.name, $0) }) { _, later in later }
        for pair in pairs where !keys.contains(pair.name) {
            let suggestion = NearestKey.suggestion(for: pair.name, among: keys)
            // The key itself may be a secret, as in password: {hunter2}.
            let isShown = !element.isSecret || suggestion != nil
            let shown = isShown ? "unknown key \"\(escapedForLog(pair.name, limit: 40))\"" : "unknown key"
            pair.complain(
                shown,
                suggestion.map { "Did you mean \($0)?" } ?? "The keys here are: \(keys.joined(separator: ", "))",
                at: pair.keyPosition
            )
        }
    }

    subscript(key: String) -> Element? { values[key] }

    /// Returns the value of a required key; complains if it is missing.
    func required(_ key: String, example: String) -> Element? {
        if values[key] == nil { complain("\"\(key)\" is missing", "Write \(example)") }
        return values[key]
    }

    /// Complains about the mapping as a whole.
    func complain(_ message: String, _ advice: String) {
        element.complain(message, advice, at: element.keyPosition)
    }

    /// Returns the first of these keys that the mapping contains; complains about the others that it contains.
    func atMostOne(of keys: [String], _ advice: String) -> String? {
        let present = keys.filter { values[$0] != nil }
        for extra in present.dropFirst() {
            values[extra]?.complain("\"\(extra)\" and \"\(present[0])\" exclude each other", advice)
        }
        return present.first
    }
}

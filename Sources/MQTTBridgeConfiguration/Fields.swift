import Mosquitto

/// A mapping with the keys that the schema knows.
struct Fields {
    /// The mapping.
    let element: Element
    private let values: [String: Element]

    /// Complains about a value that is no mapping, and about keys that the schema does not know.
    ///
    /// - Parameter example: The mapping as it should be written, for whoever wrote something else.
    init?(_ element: Element, keys: [String], secrets: Set<String> = [], example: String) {
        guard let pairs = element.pairs(example: example, secrets: secrets) else { return nil }
        self.element = element
        values = Dictionary(pairs.filter { keys.contains($0.name) }.map { ($0.name, $0) }) { _, later in later }
        for pair in pairs where !keys.contains(pair.name) {
            let suggestion = NearestKey.suggestion(for: pair.name, among: keys)
            // A secret may stand in the place of a key, as in password: {hunter2}.
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

    /// The value of a key that must be there; complains if it is not.
    func required(_ key: String, example: String) -> Element? {
        if values[key] == nil { complain("\"\(key)\" is missing", "Write \(example)") }
        return values[key]
    }

    /// Complains about the mapping as a whole.
    func complain(_ message: String, _ advice: String) {
        element.complain(message, advice, at: element.keyPosition)
    }

    /// The keys among these that are there; complains about all but the first.
    func atMostOne(of keys: [String], _ advice: String) -> String? {
        let present = keys.filter { values[$0] != nil }
        for extra in present.dropFirst() {
            values[extra]?.complain("\"\(extra)\" and \"\(present[0])\" exclude each other", advice)
        }
        return present.first
    }
}

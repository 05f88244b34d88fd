/// The notes and violations of a scenario, besides the counts.
struct Findings {
    private(set) var notes: [String] = []
    private(set) var violations: [String] = []

    /// Adds a measurement.
    mutating func note(_ text: String) { notes.append(text) }

    /// Records a violation if a condition does not hold: at most ten, each text once.
    mutating func demand(_ condition: Bool, _ violation: @autoclosure () -> String) {
        guard !condition else { return }
        let text = violation()
        if violations.count < 10, !violations.contains(text) { violations.append(text) }
    }

    /// Violations and notes in one line.
    var text: String {
        (violations.map { "BROKEN: \($0)" } + notes).joined(separator: "; ").replacing("\n", with: " ")
    }
}

/// What a scenario found besides the counts.
struct Findings {
    private(set) var notes: [String] = []
    private(set) var violations: [String] = []

    /// Something that was measured.
    mutating func note(_ text: String) { notes.append(text) }

    /// Something that must hold. Each kind is told once.
    mutating func demand(_ condition: Bool, _ violation: @autoclosure () -> String) {
        guard !condition else { return }
        let text = violation()
        if violations.count < 10, !violations.contains(text) { violations.append(text) }
    }

    /// Both, for one line.
    var text: String {
        (violations.map { "BROKEN: \($0)" } + notes).joined(separator: "; ").replacing("\n", with: " ")
    }
}

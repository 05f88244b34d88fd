import Foundation

/// Figures as people read them.
enum Digits {
    /// Three significant digits, or all of a large number, in groups of three.
    static func grouped(_ number: Double) -> String {
        guard number.magnitude >= 100 else { return short(number) }
        var digits = String(Int(number.rounded()))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: position))
            position -= 3
        }
        return digits
    }

    /// Three significant digits, without zeroes that say nothing.
    static func short(_ number: Double) -> String { String(format: "%.3g", number) }
}

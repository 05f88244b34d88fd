/// Parses and formats quantities such as `30s` and `64KiB`.
enum Quantity {
    /// The reason why a text is not a quantity.
    enum Failure: Error {
        case notANumber
        case noUnit
        case unknownUnit
        case tooLarge
    }

    static let durationUnits = "ms, s, m, h or d"
    static let sizeUnits = "B, KiB, MiB, GiB, kB, MB or GB"

    /// Parses a duration: a whole number and a unit. Zero needs no unit.
    static func duration(_ text: String) throws(Failure) -> Duration {
        let milliseconds = try read(text) { unit in
            switch unit {
            case "ms": 1
            case "s": 1_000
            case "m": 60_000
            case "h": 3_600_000
            case "d": 86_400_000
            default: nil
            }
        }
        return .milliseconds(milliseconds)
    }

    /// Parses a size in bytes: a whole number and a unit. Zero needs no unit.
    static func size(_ text: String) throws(Failure) -> Int64 {
        try read(text) { unit in
            switch unit {
            case "B": 1
            case "kB", "KB": 1_000
            case "MB": 1_000_000
            case "GB": 1_000_000_000
            case "KiB": 1 << 10
            case "MiB": 1 << 20
            case "GiB": 1 << 30
            default: nil
            }
        }
    }

    private static func read(_ text: String, unit factor: (Substring) -> Int64?) throws(Failure) -> Int64 {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { throw .notANumber }
        let unit = text[digits.endIndex...].drop { $0 == " " }
        guard let number = Int64(digits) else { throw .tooLarge }
        guard !unit.isEmpty else {
            if number == 0 { return 0 }
            throw .noUnit
        }
        guard let factor = factor(unit) else { throw .unknownUnit }
        let (result, isTooLarge) = number.multipliedReportingOverflow(by: factor)
        if isTooLarge { throw .tooLarge }
        return result
    }

    /// Returns a duration in the syntax of the file.
    static func text(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
        for (factor, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] as [(Int64, String)]
        where milliseconds.isMultiple(of: factor) && milliseconds > 0 {
            return "\(milliseconds / factor)\(unit)"
        }
        return milliseconds == 0 ? "0" : "\(milliseconds)ms"
    }

    /// Returns a size in bytes in the syntax of the file.
    static func text(_ bytes: Int64) -> String {
        for (factor, unit) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] as [(Int64, String)]
        where bytes.isMultiple(of: factor) && bytes > 0 {
            return "\(bytes / factor)\(unit)"
        }
        return "\(bytes)B"
    }
}

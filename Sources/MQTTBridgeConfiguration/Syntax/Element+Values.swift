import MQTTBridge

/// Conversions of texts.
extension Element {
    /// Reads `true` or `false`.
    func bool() -> Bool? {
        convert("true or false", example: "\(name): true") { text in
            switch text {
            case "true", "True", "TRUE": true
            case "false", "False", "FALSE": false
            default: nil
            }
        }
    }

    /// Reads `true`, `false` or `as-received`.
    func retention() -> Retention? {
        convert("true, false or as-received", example: "\(name): true") { text in
            switch text {
            case "true", "True", "TRUE": .always
            case "false", "False", "FALSE": .never
            case "as-received": .asReceived
            default: nil
            }
        }
    }

    /// Reads a whole number within a range.
    func number<Number: FixedWidthInteger>(_ range: ClosedRange<Number>, example: Number) -> Number? {
        convert("a number from \(range.lowerBound) to \(range.upperBound)", example: "\(name): \(example)") { text in
            guard text.utf8.first != UInt8(ascii: "+"), let number = Number(text) else { return nil }
            return range.contains(number) ? number : nil
        }
    }

    /// Reads a case of an enumeration by its raw value.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) -> Choice? {
        let words = type.allCases.map(\.rawValue)
        let list = words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
        guard let text = line(list, example: "\(name): \(words[0])") else { return nil }
        if let choice = Choice(rawValue: text.content) { return choice }
        let suggestion = isSecret || text.isSubstituted ? nil : NearestKey.suggestion(for: text.content, among: words)
        complain("\"\(name)\" must be \(list)\(shown(text))", "Write \(name): \(suggestion ?? words[0])")
        return nil
    }

    /// Reads a duration within a range, or zero if `orZero` is true.
    func duration(_ range: ClosedRange<Duration>, orZero: Bool = false, example: String) -> Duration? {
        let limits = "\(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))"
        return quantity("a duration", orZero ? "0, or \(limits)" : limits, Quantity.durationUnits, example) {
            text throws(Quantity.Failure) in
            let duration = try Quantity.duration(text)
            return range.contains(duration) || (orZero && duration == .zero) ? duration : nil
        }
    }

    /// Reads a number of bytes within a range.
    func size(_ range: ClosedRange<Int64>, example: String) -> Int64? {
        let limits = "\(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))"
        return quantity("a size", limits, Quantity.sizeUnits, example) { text throws(Quantity.Failure) in
            let size = try Quantity.size(text)
            return range.contains(size) ? size : nil
        }
    }

    private func quantity<Value>(
        _ expected: String,
        _ limits: String,
        _ units: String,
        _ example: String,
        _ parse: (String) throws(Quantity.Failure) -> Value?
    ) -> Value? {
        guard let text = line(expected, example: "\(name): \(example)") else { return nil }
        let advice = "Write a whole number and a unit (\(units)), as in \(name): \(example)"
        do throws(Quantity.Failure) {
            if let value = try parse(text.content) { return value }
            complain("\"\(name)\" must be \(limits)\(shown(text))", advice)
        } catch {
            switch error {
            case .notANumber: complain("\"\(name)\" must be \(expected)\(shown(text))", advice)
            case .noUnit: complain("\"\(name)\" has no unit", advice)
            case .unknownUnit: complain("\"\(name)\" has a unit that is not known", advice)
            case .tooLarge: complain("\"\(name)\" must be \(limits)\(shown(text))", advice)
            }
        }
        return nil
    }
}

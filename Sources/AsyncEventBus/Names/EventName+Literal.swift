extension EventName: ExpressibleByStringInterpolation {
    /// Parses a literal. An invalid literal is a programmer's mistake and traps.
    public init(stringLiteral text: String) {
        do {
            try self.init(text)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Parses a literal with values, such as `"pump.\(id).state"`. An invalid literal is a programmer's mistake and traps;
    /// values are arbitrary text. The compiler also takes the argument of `EventName("pump.\(id)")` for such a literal.
    public init(stringInterpolation: StringInterpolation) {
        self.init(stringLiteral: stringInterpolation.text)
    }

    /// The text of a literal with values.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        /// Starts an interpolation. A literal consists of more than values: an empty value alone would be no name.
        public init(literalCapacity: Int, interpolationCount: Int) {
            precondition(literalCapacity > 0, "a name needs text beside its values; see init(segments:)")
        }

        /// Appends a part of the spelling, in which dots separate segments.
        public mutating func appendLiteral(_ literal: String) { text += literal }

        /// Appends a value as text within one segment: its dots, asterisks and percent signs are escaped.
        public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            text += Escaping.escaped(value.description)
        }
    }
}

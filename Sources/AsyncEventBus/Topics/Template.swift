/// The common form of topic and event templates: separated parts, each a literal or a capture.
///
/// `home/{room}/temperature` has a literal, a capture and a literal; `{rest...}` captures all remaining parts, which
/// may be none. A capture is a whole part, since brokers filter by whole levels. `{{` and `}}` stand for braces.
package struct Template: Sendable, Hashable {
    package enum Part: Sendable, Hashable {
        case literal(String)
        case capture(String)
        case rest(String)

        package var captureName: String? {
            switch self {
            case .literal: nil
            case .capture(let name), .rest(let name): name
            }
        }
    }

    package let text: String
    package let parts: [Part]

    package var captures: [String] { parts.compactMap(\.captureName) }

    /// Whether the template begins with a literal `$`: such topics are reserved for the broker, such names for the bus.
    package var isReserved: Bool {
        if case .literal(let text) = parts[0] { text.utf8.first == UInt8(ascii: "$") } else { false }
    }

    package var hasRest: Bool { if case .rest = parts.last { true } else { false } }

    /// Whether parts match.
    package func matches(_ texts: [String]) -> Bool {
        // A rest capture may be empty.
        guard hasRest ? texts.count >= parts.count - 1 : texts.count == parts.count else { return false }
        for (position, part) in parts.enumerated() {
            if case .literal(let text) = part, ExactText(text) != ExactText(texts[position]) { return false }
        }
        return true
    }

    /// Parses a template. `literal` unescapes and checks the text of a literal part.
    package init(
        _ text: String,
        separator: Unicode.Scalar,
        literal: (String) -> Result<String, TemplateProblem>
    ) throws(TemplateError) {
        func failure(_ offset: Int, _ message: String, _ advice: String) -> TemplateError {
            TemplateError(template: text, offset: offset, message: message, advice: advice)
        }
        guard !text.isEmpty else { throw failure(0, "it is empty", "Write {rest...} for everything") }
        let pieces = Self.pieces(of: text, separator: separator)
        var parts: [Part] = []
        var names: Set<String> = []
        for (position, piece) in pieces.enumerated() {
            // Computed on demand, since counting characters takes linear time.
            func offset() -> Int { text[..<piece.startIndex].count }
            let part: Part
            switch Self.read(piece) {
            case .success(.literal(let content)):
                switch literal(content) {
                case .success(let content): part = .literal(content)
                case .failure(let problem): throw failure(offset(), problem.message, problem.advice)
                }
            case .success(let capture): part = capture
            case .failure(let problem): throw failure(offset(), problem.message, problem.advice)
            }
            if let name = part.captureName, !names.insert(name).inserted {
                throw failure(offset(), "{\(name)} stands there twice", "Give each capture a name of its own")
            }
            if case .rest(let name) = part, position < pieces.count - 1 {
                throw failure(offset(), "{\(name)...} is not last", "Only the last part can take all that is left")
            }
            parts.append(part)
        }
        self.text = text
        self.parts = parts
    }

    /// Splits at separators outside captures: `{rest...}` contains dots.
    ///
    /// Works on scalars, as brokers do: Swift joins a separator and a following combining mark into one character.
    private static func pieces(of text: String, separator: Unicode.Scalar) -> [Substring] {
        let scalars = text.unicodeScalars
        var pieces: [Substring] = []
        var start = scalars.startIndex
        var position = scalars.startIndex
        var isCapture = false
        while position < scalars.endIndex {
            let next = scalars.index(after: position)
            switch scalars[position] {
            case "{" where !isCapture && next < scalars.endIndex && scalars[next] == "{":
                position = scalars.index(after: next)
                continue
            case "{": isCapture = true
            case "}": isCapture = false
            case separator where !isCapture:
                pieces.append(Substring(scalars[start..<position]))
                start = next
            default: break
            }
            position = next
        }
        return pieces + [Substring(scalars[start...])]
    }

    private static func read(_ piece: Substring) -> Result<Part, TemplateProblem> {
        let scalars = piece.unicodeScalars
        if scalars.first == "{", scalars.dropFirst().first != "{", scalars.last == "}" {
            var name = scalars.dropFirst().dropLast()
            let isRest = name.suffix(3).elementsEqual("...".unicodeScalars)
            if isRest { name = name.dropLast(3) }
            guard isName(Substring(name)) else {
                return .failure(
                    TemplateProblem("\(piece) is not a capture", "A name has letters, digits and _: {room}, {rest...}")
                )
            }
            return .success(isRest ? .rest(String(name)) : .capture(String(name)))
        }
        var content = ""
        var rest = scalars.makeIterator()
        while let scalar = rest.next() {
            if scalar == "{" || scalar == "}" {
                guard rest.next() == scalar else {
                    return .failure(
                        TemplateProblem(
                            "\"\(piece)\" has a brace inside",
                            "A capture is the whole part, as in {room}; for a brace itself write {{ or }}"
                        )
                    )
                }
            }
            content.unicodeScalars.append(scalar)
        }
        return .success(.literal(content))
    }

    private static func isName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}

/// A problem of one part of a template, with advice how to fix it.
package struct TemplateProblem: Error {
    let message: String
    let advice: String

    package init(_ message: String, _ advice: String) {
        (self.message, self.advice) = (message, advice)
    }
}

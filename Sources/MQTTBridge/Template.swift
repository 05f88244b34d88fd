/// What a topic template and an event template have in common: parts between separators, some of which are captures.
///
/// `home/{room}/temperature` has a literal, a capture and a literal; `{rest...}` captures all that is left, which may be
/// nothing. A capture is a whole part, since brokers can only filter by whole levels. `{{` and `}}` stand for braces.
struct Template: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case literal(String)
        case capture(String)
        case rest(String)

        var captureName: String? {
            switch self {
            case .literal: nil
            case .capture(let name), .rest(let name): name
            }
        }
    }

    let text: String
    let parts: [Part]

    /// The names of the captures, in order.
    var captures: [String] { parts.compactMap(\.captureName) }

    /// Whether it begins with a literal `$`: such topics are the broker's own, such names the bus's.
    var isReserved: Bool {
        if case .literal(let text) = parts[0] { text.utf8.first == UInt8(ascii: "$") } else { false }
    }

    /// Whether the last part takes all that is left.
    var hasRest: Bool { if case .rest = parts.last { true } else { false } }

    /// Reads a template. `literal` turns the text of a part into what it stands for, or says what is wrong with it.
    init(
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
            let offset = text[..<piece.startIndex].count
            let part: Part
            switch Self.read(piece) {
            case .success(.literal(let content)):
                switch literal(content) {
                case .success(let content): part = .literal(content)
                case .failure(let problem): throw failure(offset, problem.message, problem.advice)
                }
            case .success(let capture): part = capture
            case .failure(let problem): throw failure(offset, problem.message, problem.advice)
            }
            if let name = part.captureName, !names.insert(name).inserted {
                throw failure(offset, "{\(name)} stands there twice", "Give each capture a name of its own")
            }
            if case .rest(let name) = part, position < pieces.count - 1 {
                throw failure(offset, "{\(name)...} is not last", "Only the last part can take all that is left")
            }
            parts.append(part)
        }
        self.text = text
        self.parts = parts
    }

    /// The text between separators. Those inside a capture do not count: `{rest...}` has dots.
    ///
    /// By scalars, as brokers do: to Swift, a separator and a mark that combines with it are another character.
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

/// What is wrong with a part of a template, and how to mend it.
struct TemplateProblem: Error {
    let message: String
    let advice: String

    init(_ message: String, _ advice: String) {
        (self.message, self.advice) = (message, advice)
    }
}

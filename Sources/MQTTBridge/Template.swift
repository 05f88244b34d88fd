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

    /// Whether the last part takes all that is left.
    var hasRest: Bool { if case .rest = parts.last { true } else { false } }

    /// Reads a template. `literal` turns the text of a part into what it stands for, or says what is wrong with it.
    init(
        _ text: String,
        separator: Character,
        literal: (String) -> Result<String, TemplateProblem>
    ) throws(TemplateError) {
        func failure(_ offset: Int, _ message: String, _ advice: String) -> TemplateError {
            TemplateError(template: text, offset: offset, message: message, advice: advice)
        }
        guard !text.isEmpty else { throw failure(0, "it is empty", "Write {rest...} for everything") }
        let pieces = text.split(separator: separator, omittingEmptySubsequences: false)
        var parts: [Part] = []
        var names: Set<String> = []
        var offset = 0
        for (position, piece) in pieces.enumerated() {
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
            offset += piece.count + 1
        }
        self.text = text
        self.parts = parts
    }

    private static func read(_ piece: Substring) -> Result<Part, TemplateProblem> {
        if piece.hasPrefix("{"), !piece.hasPrefix("{{"), piece.hasSuffix("}") {
            var name = piece.dropFirst().dropLast()
            let isRest = name.hasSuffix("...")
            if isRest { name = name.dropLast(3) }
            guard isName(name) else {
                return .failure(
                    TemplateProblem("\(piece) is not a capture", "A name has letters, digits and _: {room}, {rest...}")
                )
            }
            return .success(isRest ? .rest(String(name)) : .capture(String(name)))
        }
        var content = ""
        var characters = piece.makeIterator()
        while let character = characters.next() {
            if character == "{" || character == "}" {
                guard characters.next() == character else {
                    return .failure(
                        TemplateProblem(
                            "\"\(piece)\" has a brace inside",
                            "A capture is the whole part, as in {room}; for a brace itself write {{ or }}"
                        )
                    )
                }
            }
            content.append(character)
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

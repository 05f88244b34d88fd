import Yams

/// The YAML tree of a file: a single document without anchors, aliases and tags, at most 16 levels deep.
struct Document {
    /// The schema has 6 levels.
    private static let maximumDepth = 16

    /// Nil if the file is empty.
    let root: Node?
    let duplicates: DuplicateKeys

    /// Parses the text; nil, with a complaint, if that fails.
    init?(_ collector: ProblemCollector) {
        guard Self.check(collector) else { return nil }
        var source = collector.source
        var duplicates = DuplicateKeys()
        while true {
            do {
                // The anchors of nodes are valid only during the lifetime of the parser.
                let parser = try Parser(yaml: source.text, resolver: .basic, encoding: .utf8)
                let root = try parser.singleRoot()
                withExtendedLifetime(parser) { root.map { Self.check($0, depth: 1, collector) } }
                (self.root, self.duplicates) = (root, duplicates)
                return
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let position = Position(context.mark)
                guard let key = keys.first, duplicates.rename(key, at: position, in: &source) else {
                    collector.add(position, "a key is written twice", "Remove one of them")
                    return nil
                }
            } catch {
                let problem = SyntaxProblem(error)
                collector.add(problem.position, problem.message, problem.advice)
                return nil
            }
        }
    }

    /// Refuses texts on which the parser would run forever, and texts for whose errors it reports no position.
    private static func check(_ collector: ProblemCollector) -> Bool {
        if let (position, value) = collector.source.illegalCharacter {
            let name = "U+" + String(value, radix: 16, uppercase: true)
            collector.add(
                position,
                "the character \(name) is not allowed in YAML",
                "Remove it; in quotes \\x… stands for it"
            )
            return false
        }
        if let position = collector.source.aliasExpansion {
            collector.add(position, "anchors (&) and aliases (*) are not used here", "Write the value out")
            return false
        }
        return true
    }

    private static func check(_ node: Node, depth: Int, _ collector: ProblemCollector) {
        let position = node.mark.map(Position.init) ?? .start
        guard node.anchor == nil else {
            collector.add(position, "anchors (&) and aliases (*) are not used here", "Write the value out")
            return
        }
        guard
            ["tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"].contains(node.tag.description)
        else {
            collector.add(position, "tags (!) are not used here", "Remove it, or quote a text that begins with !")
            return
        }
        guard depth <= maximumDepth else {
            collector.add(position, "nested more than \(maximumDepth) deep", "Nothing in a configuration is that deep")
            return
        }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                check(key, depth: depth + 1, collector)
                check(value, depth: depth + 1, collector)
            }
        case .sequence(let sequence):
            for element in sequence { check(element, depth: depth + 1, collector) }
        case .scalar, .alias: break
        }
    }
}

extension Position {
    init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }
}

extension SourceText {
    /// The position of the first anchor if the text has enough aliases for an exponential expansion ("billion laughs").
    /// The parser expands them before the tree can be checked.
    ///
    /// It scans bytes only, so lookalikes count too, for instance in a comment.
    fileprivate var aliasExpansion: Position? {
        var (line, column) = (1, 1)
        var anchor: Position?
        var aliases = 0
        for (offset, byte) in bytes.enumerated() {
            let isName = offset + 1 < bytes.count && bytes[offset + 1].isPartOfName
            let isFirst = offset == 0 || !bytes[offset - 1].isPartOfName
            if byte == UInt8(ascii: "&"), isName, isFirst { anchor = anchor ?? Position(line: line, column: column) }
            if byte == UInt8(ascii: "*"), isName, isFirst { aliases += 1 }
            if byte == 0x0A { (line, column) = (line + 1, 1) } else if byte & 0xC0 != 0x80 { column += 1 }
        }
        return aliases > 4 ? anchor : nil
    }
}

extension UInt8 {
    /// A letter, digit, hyphen or underscore.
    fileprivate var isPartOfName: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

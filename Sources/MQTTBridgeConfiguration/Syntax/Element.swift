import Mosquitto
import Yams

/// A value of the file with its key; reports problems at its position.
struct Element {
    let node: Node
    /// The key, as messages show it.
    let name: String
    /// The position of the key; for an element of a list, its start.
    let keyPosition: Position
    /// Whether the value or a part of it may be a secret, which messages must not show.
    let isSecret: Bool
    let document: Document
    let collector: ProblemCollector

    /// The position of the value, or of the key if the value is empty.
    var position: Position {
        guard !isEmpty, let mark = node.mark else { return keyPosition }
        return Position(mark)
    }

    /// Whether the value is null in YAML.
    var isEmpty: Bool {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    func complain(_ message: String, _ advice: String, at position: Position? = nil) {
        collector.add(position ?? self.position, message, advice)
    }

    /// Complains about a value of the wrong kind.
    func complain(expected: String, example: String) {
        let found =
            switch node {
            case _ where isEmpty: "has no value"
            case .mapping: "must be \(expected), not a mapping"
            case .sequence: "must be \(expected), not a list"
            case .scalar, .alias: "must be \(expected), not a single value"
            }
        complain("\"\(name)\" \(found)", "Write \(example)")
    }

    /// Reads the elements of a list; nil, with a complaint, for other kinds of values.
    func list(example: String) -> [Element]? {
        guard let sequence = node.sequence else {
            complain(expected: "a list", example: example)
            return nil
        }
        return sequence.map { node in
            Element(
                node: node,
                name: name,
                keyPosition: node.mark.map(Position.init) ?? position,
                isSecret: isSecret,
                document: document,
                collector: collector
            )
        }
    }

    /// Reads the entries of a mapping in order, with complaints about duplicate keys; nil, with a complaint, for other
    /// kinds of values.
    func pairs(example: String, secrets: Set<String> = []) -> [Element]? {
        guard let mapping = node.mapping else {
            complain(expected: "a mapping", example: example)
            return nil
        }
        var earlier: [String: Int] = [:]
        var elements: [Element] = []
        for (key, value) in mapping {
            let keyPosition = key.mark.map(Position.init) ?? position
            guard let name = key.scalar.map({ document.duplicates.original(of: $0.string) }) else {
                collector.add(keyPosition, "a key must be a text", "Quote a text that begins with { or [")
                continue
            }
            if let line = earlier.updateValue(keyPosition.line, forKey: name) {
                let shown = isSecret ? "a key" : "\"\(escapedForLog(name, limit: 40))\""
                collector.add(keyPosition, "\(shown) is written twice, in line \(line) too", "Remove one of them")
            }
            elements.append(
                Element(
                    node: value,
                    name: name,
                    keyPosition: keyPosition,
                    isSecret: isSecret || secrets.contains(name),
                    document: document,
                    collector: collector
                )
            )
        }
        return elements
    }
}

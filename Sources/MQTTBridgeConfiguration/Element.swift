import Mosquitto
import Yams

/// A value of the file under the key that it has, and how to complain about it.
struct Element {
    let node: Node
    /// The key, as messages show it.
    let name: String
    /// Where the key is; of an element of a list, where it begins.
    let keyPosition: Position
    /// Whether it, or something in it, may be a secret: never shown then.
    let isSecret: Bool
    let document: Document
    let findings: Findings

    /// Where the value is.
    var position: Position {
        guard !isEmpty, let mark = node.mark else { return keyPosition }
        return Position(mark)
    }

    /// Whether nothing stands there, which YAML calls null.
    var isEmpty: Bool {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    func complain(_ message: String, _ advice: String, at position: Position? = nil) {
        findings.add(position ?? self.position, message, advice)
    }

    /// Complains that the value is of another kind than it must be.
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

    /// The elements of a list; nil, with a complaint, if it is none.
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
                findings: findings
            )
        }
    }

    /// The keys and values of a mapping in order, with a complaint about duplicates; nil, with a complaint, if it is none.
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
                findings.add(keyPosition, "a key must be a text", "Quote a text that begins with { or [")
                continue
            }
            if let line = earlier.updateValue(keyPosition.line, forKey: name) {
                let shown = isSecret ? "a key" : "\"\(escapedForLog(name, limit: 40))\""
                findings.add(keyPosition, "\(shown) is written twice, in line \(line) too", "Remove one of them")
            }
            elements.append(
                Element(
                    node: value,
                    name: name,
                    keyPosition: keyPosition,
                    isSecret: isSecret || secrets.contains(name),
                    document: document,
                    findings: findings
                )
            )
        }
        return elements
    }
}

import Mosquitto

/// Reads `{file: PATH}`, `{env: NAME}`, `{credential: NAME}` or `{value: TEXT}`. Messages show none of these texts.
struct SecretReader {
    private static let keys = ["file", "env", "credential", "value"]

    /// Reads a secret; nil, with a complaint, if it has none of these forms. `check` returns the problem of a literal value.
    static func read(_ element: Element, check: ((String) -> String?)? = nil) -> Secret? {
        let name = element.name
        let forms = "\(name): {file: PATH}, {env: NAME}, {credential: NAME} or {value: TEXT}"
        guard let fields = Fields(element, keys: keys, example: forms) else { return nil }
        guard let key = fields.atMostOne(of: keys, "Keep one of them"), let place = fields[key] else {
            fields.complain("\"\(name)\" does not state where it is kept", "Write \(forms)")
            return nil
        }
        let example = "\(name): {\(key): \(key == "value" ? "TEXT" : key == "file" ? "PATH" : "NAME")}"
        switch key {
        case "file":
            return place.readablePath(.file, example: example).map(Secret.file)
        case "env":
            return place.convert("the name of an environment variable", example: example) { name in
                Substitution.isName(name) ? .environment(name) : nil
            }
        case "credential":
            return place.convert("the name of a credential", example: example) { name in
                name.utf8.contains(UInt8(ascii: "/")) || name.hasPrefix(".") ? nil : .credential(name)
            }
        default:
            return value(place, example: example, check)
        }
    }

    private static func value(_ element: Element, example: String, _ check: ((String) -> String?)?) -> Secret? {
        guard let text = element.text("a text", example: example)?.content else { return nil }
        let isSound = !text.isEmpty && text.utf8.count <= 65_535 && !text.utf8.contains(0)
        guard isSound else {
            element.complain("the text is empty, too long or holds the NUL character", "Write \(example)")
            return nil
        }
        if let problem = check?(text) {
            element.complain(problem, "Write \(example)")
            return nil
        }
        return .value(text)
    }
}

extension Element {
    /// Returns the path of a readable file or folder. A relative path is relative to the folder of the configuration.
    func readablePath(_ kind: ConfigurationFile.Kind, example: String) -> String? {
        guard let text = line("a path", example: example) else { return nil }
        let path = collector.resolved(text.content)
        guard let problem = ConfigurationFile.problem(with: path, kind) else { return path }
        let shown = isSecret || text.isSubstituted ? "" : " \"\(escapedForLog(path, limit: 200))\""
        complain(
            "cannot read the \(kind == .file ? "file" : "folder")\(shown): \(problem)",
            "Check the path, which is relative to the folder of this file, and its permissions"
        )
        return nil
    }
}

import Yams

/// A syntax error of the parser, with advice. It does not show the text, which may contain secrets.
struct SyntaxProblem {
    let position: Position
    let message: String
    let advice: String

    init(_ error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            position = Position(mark)
            message = "this is not YAML: \(problem)"
            advice = Self.advice(problem)
        case .reader(let problem, _, _, _):
            position = .start
            message = "this is not YAML: \(problem)"
            advice = "Save it as UTF-8 text"
        default:
            position = .start
            message = "this is not YAML"
            advice = "Check the indentation and the quotes"
        }
    }

    private static func advice(_ problem: String) -> String {
        switch problem {
        case "mapping values are not allowed in this context":
            "Check the indentation; quote a text that holds \": \""
        case "found character that cannot start any token":
            "Indent with spaces, not tabs; quote a text that begins with @, ` or %"
        case "but found another document":
            "Keep one document in a file: remove the line ---"
        case "found undefined alias", "did not find expected alphabetic or numeric character":
            "Quote a text that begins with * or &"
        case "did not find expected key", "did not find expected <document start>":
            "Check the indentation; quote a text that begins with {, [ or a quote"
        case "did not find expected ',' or '}'", "did not find expected ',' or ']'":
            "Close the bracket; in brackets, quote a text that holds {, }, [, ] or a comma"
        case "found unexpected end of stream":
            "Close the quotes"
        case "could not find expected ':'":
            "Write KEY: VALUE, with a space after the colon"
        case "found unknown escape character", "did not find expected hexdecimal number":
            "Double the backslash, or use single quotes"
        default:
            "Check the indentation, the quotes and the brackets; quote texts with special characters"
        }
    }
}

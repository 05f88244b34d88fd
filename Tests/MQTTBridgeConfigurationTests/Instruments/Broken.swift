import MQTTBridgeConfiguration
import Testing

/// A text with a mistake, marked in it by ▸ where the problem must point to.
struct Broken: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let marked: String
    /// Parts of the message.
    let message: String
    /// Parts of the advice.
    let advice: String

    init(_ name: String, _ marked: String, says message: String, advises advice: String) {
        (testDescription, self.marked, self.message, self.advice) = (name, marked, message, advice)
    }

    /// The text without the mark.
    var text: String { marked.replacing("▸", with: "") }

    /// Where the mark is, counted here and not by the code that is tested.
    var positions: [[Int]] { Self.positions(marked) }

    static func positions(_ marked: String) -> [[Int]] {
        var found: [[Int]] = []
        var (line, column) = (1, 1)
        for scalar in marked.unicodeScalars {
            switch scalar {
            case "▸": found.append([line, column])
            case "\n": (line, column) = (line + 1, 1)
            default: column += 1
            }
        }
        return found
    }

    /// A broker with one more line, and nothing else.
    static func broker(_ name: String, _ line: String, says message: String, advises advice: String) -> Broken {
        Broken(name, "brokers:\n  home:\n    url: mqtts://localhost\n    \(line)\n", says: message, advises: advice)
    }

    /// A sound broker and routes.
    static func routes(_ name: String, _ routes: String, says message: String, advises advice: String) -> Broken {
        Broken(name, "brokers: {home: {url: mqtt://localhost}}\nroutes:\n\(routes)\n", says: message, advises: advice)
    }
}

/// The problems of a text; none if it has none.
func problems(
    _ text: String,
    file: String = "bridge.yaml",
    environment: [String: String] = [:]
) -> [ConfigurationProblem] {
    do throws(ConfigurationProblems) {
        _ = try BridgeConfiguration(yaml: text, file: file, environment: environment)
        return []
    } catch {
        return error.problems
    }
}

extension ConfigurationProblem {
    /// Line and column.
    var place: [Int] { [line, column] }
}

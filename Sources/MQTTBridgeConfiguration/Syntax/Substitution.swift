/// Substitutes environment variables in a text: `${NAME}`, and `${NAME:-default}` for a variable that may be unset or
/// empty.
///
/// The value of a variable is text: it is parsed neither as YAML nor for variables. `$${` stands for `${`; any other
/// dollar sign stands for itself, since topics contain it (`$SYS`). A default ends at the first `}`.
struct Substitution {
    /// A problem in the text. The offset is in Unicode scalars from its start.
    struct Failure: Error {
        let offset: Int
        let message: String
        let advice: String
    }

    private(set) var text = ""
    /// The values of variables with their spelling in the text.
    private(set) var values: [(value: String, spelling: String)] = []

    init(_ raw: String, environment: [String: String]) throws(Failure) {
        // By scalars: in Swift, a brace and a combining mark after it are a single, different character.
        var rest = raw.unicodeScalars[...]
        // Counts the offset incrementally: counting from the start for each variable takes quadratic time.
        var (counted, offset) = (raw.startIndex, 0)
        while let dollar = rest.firstRange(of: "${".unicodeScalars) {
            let before = rest[..<dollar.lowerBound]
            if before.last == "$" {
                text += String(before.dropLast()) + "${"
                rest = rest[dollar.upperBound...]
                continue
            }
            text += String(before)
            offset += raw.unicodeScalars.distance(from: counted, to: dollar.lowerBound)
            counted = dollar.lowerBound
            guard let end = rest[dollar.upperBound...].firstIndex(of: "}") else {
                throw Self.malformed(offset)
            }
            let value = try Self.value(of: Substring(rest[dollar.upperBound..<end]), environment, offset)
            text += value.value
            values.append(value)
            rest = rest[rest.index(after: end)...]
        }
        text += String(rest)
    }

    private static func value(
        of content: Substring,
        _ environment: [String: String],
        _ offset: Int
    ) throws(Failure) -> (value: String, spelling: String) {
        let separator = content.unicodeScalars.firstRange(of: ":-".unicodeScalars)
        let name = String(content[..<(separator?.lowerBound ?? content.endIndex)])
        guard isName(name) else { throw malformed(offset) }
        let spelling = "${\(name)}"
        if let separator {
            let value = environment[name] ?? ""
            return (value.isEmpty ? String(content[separator.upperBound...]) : value, spelling)
        }
        guard let value = environment[name] else {
            throw Failure(
                offset: offset,
                message: "the environment variable \(name) is not set",
                advice: "Set it, or give a default: ${\(name):-VALUE}"
            )
        }
        return (value, spelling)
    }

    private static func malformed(_ offset: Int) -> Failure {
        Failure(
            offset: offset,
            message: "${ begins the name of an environment variable, and this is none",
            advice: "Write ${NAME} or ${NAME:-default}; for the characters themselves write $${"
        )
    }

    /// Whether a text can be the name of an environment variable.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}

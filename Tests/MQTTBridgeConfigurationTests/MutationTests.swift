import MQTTBridgeConfiguration
import Testing
import TestSupport

@Suite("Mutations")
struct MutationTests {
    /// Not what a key may look like, since unknown keys are shown.
    private static let marker = "§S3cr3t§"

    private static let pieces = [
        "{", "}", "[", "]", ":", ": ", ",", "\n", "\n  ", "\t", " ", "-", "- ", "#", " #", "\"", "'", "&a ", "*a",
        "!x ",
        "|", ">", "%", "@", "`", "?", "? ", "~", "0", "-1", "99999999999999999999", "${", "${X}", "}", "$", "\\",
        "\u{0}",
        "\u{FEFF}", "\u{301}", "é", "𝄞", "\r", "\u{85}", "---\n", "...\n", "<<: ", "null", "home:", "url:", "{rest...}",
        "+", "\u{E000}", "\u{2028}",
    ]

    @Test("2,000 mutations of the file with every key neither crash nor show its secrets", arguments: Seed.fresh(1))
    func mutations(seed: Seed) throws {
        let original = try Repository.text("Config/bridge.yaml")
            .split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("#") }.joined(separator: "\n")
            .replacing("${MQTT_PASSWORD:-example}", with: Self.marker)
            .replacing("# key_password", with: "key_password")
        #expect(original.contains(Self.marker))
        var random = seed.random
        var (sound, found, secret) = (0, 0, 0)
        for _ in 0..<2_000 {
            var scalars = Array(original.unicodeScalars)
            for _ in 0...random.below(3) { Self.mutate(&scalars, &random) }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            let problems = problems(text, environment: ["X": Self.marker])
            if problems.isEmpty { sound += 1 }
            found += problems.count
            let isSecret = Self.isSecret(in: text)
            if isSecret { secret += 1 }
            for problem in problems {
                #expect(!isSecret || !problem.description.contains(Self.marker), "\(problem)\n\(text)")
                #expect(!problem.description.contains("\n"))
                #expect(problem.line > 0 && problem.column > 0)
            }
        }
        #expect(secret > 1_900)
        print("\(seed): 2000 mutations, \(sound) without a mistake, \(found) problems")
    }

    /// Whether the secret still stands where secrets do: a mutation may make it the value of another key, which is shown.
    private static func isSecret(in text: String) -> Bool {
        text.split(whereSeparator: \.isNewline).allSatisfy { line in
            !line.contains(marker) || line.contains("password") || line.contains("value")
        }
    }

    private static func mutate(_ scalars: inout [Unicode.Scalar], _ random: inout SplitMix64) {
        let position = random.below(scalars.count)
        switch random.below(5) {
        case 0: scalars.remove(at: position)
        case 1: scalars.insert(contentsOf: random.pick(pieces).unicodeScalars, at: position)
        case 2: scalars.replaceSubrange(position...position, with: random.pick(pieces).unicodeScalars)
        case 3: scalars.removeSubrange(position..<min(position + random.below(80), scalars.count - 1))
        default:
            let length = min(random.below(200), scalars.count - position)
            scalars.insert(contentsOf: scalars[position..<(position + length)], at: random.below(scalars.count))
        }
    }
}

import Foundation
import Testing

@testable import MQTTBridge
import TestSupport

@Suite("JSONText")
struct JSONTextTests {
    private func members(_ text: String) -> [String: String]? {
        JSONText.members(Array(text.utf8))?.mapValues { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "a string escapes what JSON demands and what could harm a terminal",
        arguments: [
            ("a", "\"a\""), ("", "\"\""), ("\"\\", "\"\\\"\\\\\""), ("\n\r\t", "\"\\n\\r\\t\""),
            ("\u{0}\u{1b}\u{7f}\u{9f}", "\"\\u0000\\u001b\\u007f\\u009f\""), ("é\u{1f600}", "\"é\u{1f600}\""),
            ("a\u{202e}b\u{2066}", #""a\u202eb\u2066""#), ("\u{200b}\u{feff}\u{ad}", #""\u200b\ufeff\u00ad""#),
            ("\u{2028}\u{e0041}\u{3164}", #""\u2028\udb40\udc41\u3164""#),
        ]
    )
    func strings(text: String, json: String) {
        #expect(JSONText.string(text) == json)
        #expect(JSONText.text(Array(json.utf8)[...]) == text)
    }

    @Test("members come out byte by byte as they went in")
    func values() {
        let text = """
             { "a" : 1.10e+05 ,\t"b":"x,}\\"]" , "c":{"d":[1, {"e":"}"}]}, "n":null,"t":true
            , "big": 123456789012345678901234567890, "u\\u0041" : "\\u00e9", "neg":-0.0, "f": [ ] }\r\n
            """
        #expect(
            members(text) == [
                "a": "1.10e+05", "b": "\"x,}\\\"]\"", "c": "{\"d\":[1, {\"e\":\"}\"}]}", "n": "null", "t": "true",
                "big": "123456789012345678901234567890", "uA": "\"\\u00e9\"", "neg": "-0.0", "f": "[ ]",
            ]
        )
        #expect(members("{}") == [:])
        #expect(members(" {\n} ") == [:])
        #expect(members(#"{"a":1,"a":2}"#) == ["a": "2"])
    }

    @Test(
        "what is no object has no members",
        arguments: [
            "", " ", "[]", "1", "\"a\"", "null", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1}x",
            "{\"a\":1}{}", "{a:1}", "{'a':1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":-}",
            "{\"a\":1e}", "{\"a\":tru}", "{\"a\":\"\\q\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\\u12\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"x}", "{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":NaN}", "\u{feff}{}", "{}\u{b}", "\u{a0}{}",
            "{\"\\ud800\":1}",
        ]
    )
    func invalid(text: String) {
        #expect(members(text) == nil)
    }

    @Test(
        "half of a surrogate pair stands for no character, so what holds one is no JSON",
        arguments: [#"\ud800"#, #"\uDFFF"#, #"a\ud83dx"#, #"\ud83d\u0041"#, #"\ud83d\ud83d"#, #"\ude00\ud83d"#]
    )
    func halfPairs(text: String) {
        for json in ["\"\(text)\"", "{\"a\":\"\(text)\"}", "{\"\(text)\":1}", "[{\"a\":[\"\(text)\"]}]"] {
            #expect(!JSONText.isValid(Array(json.utf8)), "\(json)")
            #expect(JSONText.holdsHalfPair(Array(json.utf8)), "\(json)")
        }
        #expect(JSONText.text(Array(#""\ud83d\ude00""#.utf8)[...]) == "\u{1F600}")
        #expect(!JSONText.holdsHalfPair(Array(#"{"a":"\ud83d\ude00\ud7ff\ue000"}"#.utf8)))
        #expect(!JSONText.holdsHalfPair(Array("{".utf8)))
    }

    @Test("bytes that are not UTF-8 are not JSON, not even inside a string, nor is UTF-16")
    func encodings() {
        #expect(!JSONText.isValid([0x22, 0xFF, 0x22]))
        #expect(!JSONText.isValid(Array("\"a\"".utf16.flatMap { [UInt8($0), 0] })))
        #expect(JSONText.isValid(Array("\"é\"".utf8)))
        #expect(JSONText.isValid(Array(" 12 ".utf8)))
    }

    @Test("nesting has a limit and no trap")
    func depth() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(JSONText.isValid(nested(500)))
        #expect(!JSONText.isValid(nested(1_000)))
        #expect(!JSONText.isValid([UInt8](repeating: 0x5B, count: 1_000_000)))
    }

    @Test("random bytes are taken apart or refused, as Foundation would", arguments: Seed.fresh(2))
    func fuzz(seed: Seed) throws {
        var random = seed.random
        var valid = 0
        for _ in 0..<20_000 {
            let bytes = random.bytes(random.below(14), from: "{}[]:,\"\"a01.- \\n")
            guard JSONText.isValid(bytes) else {
                #expect(JSONText.members(bytes) == nil)
                continue
            }
            valid += 1
            let read = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            #expect(read != nil, "\(String(decoding: bytes, as: UTF8.self))")
            #expect((JSONText.members(bytes) == nil) == !(read is [String: Any]))
        }
        #expect(valid > 10)
        for _ in 0..<3_000 {
            let bytes = (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
            _ = JSONText.members(bytes)
            _ = JSONText.text(bytes[...])
        }
    }

    @Test("a random tree survives being written and taken apart", arguments: Seed.fresh(1))
    func roundTrip(seed: Seed) throws {
        var random = seed.random
        for _ in 0..<300 {
            let pairs = (0..<random.below(5)).map { ("\($0)\(random.level())", value(&random, depth: 3)) }
            let members = try #require(JSONText.members(Array(JSONText.object(pairs).utf8)))
            #expect(members.count == pairs.count)
            for (name, value) in pairs {
                #expect(members[name].map { String(decoding: $0, as: UTF8.self) } == value)
            }
        }
    }

    private func value(_ random: inout SplitMix64, depth: Int) -> String {
        switch random.below(depth > 0 ? 5 : 3) {
        case 0: return JSONText.string(random.level())
        case 1: return random.pick(["0", "-1.5e3", "12345678901234567890", "1E-2"])
        case 2: return random.pick(["true", "false", "null"])
        case 3:
            return "[" + (0..<random.below(3)).map { _ in value(&random, depth: depth - 1) }.joined(separator: " , ")
                + "]"
        default: return JSONText.object((0..<random.below(3)).map { ("k\($0)", value(&random, depth: depth - 1)) })
        }
    }
}

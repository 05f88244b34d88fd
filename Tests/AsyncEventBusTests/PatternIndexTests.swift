import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("PatternIndex")
struct PatternIndexTests {
    @Test(
        "a look-up finds what a walk along all patterns finds, whatever came and went before",
        arguments: Seed.fresh(6)
    )
    func property(seed: Seed) throws {
        var random = seed.random
        var index = PatternIndex<Int>()
        var present: [(pattern: NaivePattern, value: Int)] = []
        for _ in 0..<5_000 {
            let (pattern, value) = (random.pattern(), random.below(3))
            let position = present.firstIndex { $0 == (pattern, value) }
            switch random.below(12) {
            case 0:
                let isNew = try index.insert(value, for: pattern.eventPattern)
                #expect(isNew == (position == nil), "insert \(pattern), \(seed)")
                if isNew { present.append((pattern, value)) }
            case 1 where !present.isEmpty:
                // About as many go as come, so that the index stays small and branches are pruned all the time.
                let (known, value) = present.remove(at: random.below(present.count))
                let wasThere = try index.remove(value, for: known.eventPattern)
                #expect(wasThere, "remove \(known), \(seed)")
            case _ where position == nil:
                let wasThere = try index.remove(value, for: pattern.eventPattern)
                #expect(!wasThere, "remove absent \(pattern), \(seed)")
            default:
                break
            }
            let name = random.name()
            let expected = present.filter { $0.pattern.naivelyMatches(name) }.map(\.value).sorted()
            let found = try index.values(matching: name.eventName).sorted()
            guard found == expected, index.isEmpty == present.isEmpty else {
                Issue.record("\(name) found \(found) in \(present), \(seed)")
                return
            }
        }
        for (pattern, value) in present {
            let wasThere = try index.remove(value, for: pattern.eventPattern)
            #expect(wasThere, "\(seed)")
        }
        #expect(index.isEmpty, "\(seed)")
    }

    @Test("a value that a pattern has is not added again")
    func setSemantics() {
        var index = PatternIndex<String>()
        for pattern: EventPattern in ["a.b", "a.*", "a.**", "**"] {
            #expect(index.insert("x", for: pattern) == true)
            #expect(index.insert("x", for: pattern) == false)
            #expect(index.insert("y", for: pattern) == true)
        }
        #expect(index.values(matching: "a.b").sorted() == ["x", "x", "x", "x", "y", "y", "y", "y"])
    }

    @Test("removing what is not there changes nothing and leaves nothing behind")
    func removeAbsent() {
        var index = PatternIndex<String>()
        for pattern: EventPattern in ["a.b", "a.*.c", "a.b.**", "*.*", "**"] {
            #expect(index.remove("x", for: pattern) == false)
            #expect(index.isEmpty)
        }
        #expect(index.insert("x", for: "a.*.c") == true)
        #expect(index.remove("y", for: "a.*.c") == false)
        #expect(index.remove("x", for: "a.*") == false)
        #expect(index.remove("x", for: "a.*.c.**") == false)
        #expect(index.values(matching: "a.b.c") == ["x"])
    }

    @Test("what a removal empties is pruned, and what others need stays")
    func pruning() {
        var index = PatternIndex<String>()
        #expect(index.insert("short", for: "a.*") == true)
        #expect(index.insert("long", for: "a.*.c.d.**") == true)
        #expect(index.remove("long", for: "a.*.c.d.**") == true)
        #expect(index.values(matching: "a.b") == ["short"])
        #expect(index.remove("short", for: "a.*") == true)
        #expect(index.isEmpty)
    }

    @Test("many values under one pattern come and go one by one", arguments: ["a.b", "a.*", "a.**"] as [EventPattern])
    func manyValues(pattern: EventPattern) {
        var index = PatternIndex<Int>()
        var present: Set<Int> = []
        for value in 0..<100 {
            present.insert(value)
            #expect(index.insert(value, for: pattern) == true)
            #expect(index.insert(value, for: pattern) == false)
        }
        for value in stride(from: 0, to: 100, by: 3) {
            present.remove(value)
            #expect(index.remove(value, for: pattern) == true)
            #expect(index.remove(value, for: pattern) == false)
            #expect(index.values(matching: "a.b").sorted() == present.sorted())
        }
        for value in present { #expect(index.remove(value, for: pattern) == true) }
        #expect(index.isEmpty)
    }

    @Test("segments of any length are told apart, also those that begin alike and names of many segments")
    func lengths() throws {
        var index = PatternIndex<Int>()
        let segments = (0..<40).map { String(repeating: "x", count: $0) } + ["xxxxxxxxy", "xxxxxxxy", "yxxxxxxxx"]
        for (value, segment) in segments.enumerated() {
            #expect(try index.insert(value, for: EventPattern("*.\(segment)")) == true)
        }
        for (value, segment) in segments.enumerated() {
            #expect(index.values(matching: "a.\(segment)") == [value])
        }
        let long = (0..<300).map { "\($0)" }.joined(separator: ".")
        #expect(try index.insert(99, for: EventPattern("*." + long)) == true)
        #expect(index.values(matching: try EventName("z." + long)) == [99])
        #expect(index.values(matching: try EventName("z.z." + long)).isEmpty)
    }

    @Test("names of few and of many segments match patterns of as many")
    func counts() throws {
        var index = PatternIndex<Int>()
        for count in 1...70 {
            let pattern = try EventPattern(Array(repeating: "*", count: count).joined(separator: "."))
            #expect(index.insert(count, for: pattern) == true)
        }
        for count in 1...70 {
            let name = try EventName(Array(repeating: "a", count: count).joined(separator: "."))
            #expect(index.values(matching: name) == [count])
        }
    }
}

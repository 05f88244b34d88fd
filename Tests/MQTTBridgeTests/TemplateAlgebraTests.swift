import Testing

@testable import MQTTBridge

@Suite("Unifier")
struct TemplateAlgebraTests {
    @Test(
        "two templates overlap when one text fits both",
        arguments: [
            ("a", "a", true), ("a", "b", false), ("{x}", "a", true), ("{x}/a", "b/{y}", true),
            ("{x}/a", "b/{y}/c", false), ("{x...}", "a/b/c", true), ("a/{x...}", "a", true), ("a/{x...}", "b", false),
            ("a/b/{x...}", "a", false), ("a/{x...}", "{y}/b/{z...}", true), ("{x...}", "{y...}", true),
            ("/", "{x}", false), ("/", "{x}/{y}", true), ("\u{e9}", "e\u{301}", false),
        ]
    )
    func overlap(left: String, right: String, expected: Bool) throws {
        for (left, right) in [(left, right), (right, left)] {
            var unifier = Unifier()
            let first = unifier.instantiate(try TopicTemplate(left).template).list
            let second = unifier.instantiate(try TopicTemplate(right).template).list
            #expect(unifier.unify(first, second) == expected)
        }
    }

    @Test("what was assumed for the first pair holds for the second")
    func remembers() {
        var unifier = Unifier()
        let (left, leftNames) = unifier.instantiate(("a/{x}/{y}" as TopicTemplate).template)
        let (right, rightNames) = unifier.instantiate(("a/{x}/b" as TopicTemplate).template)
        #expect(unifier.unify(left, right) == true)
        let first = unifier.instantiate(("{y}/{x}" as TopicTemplate).template, captures: leftNames)
        let same = unifier.instantiate(("b/{x}" as TopicTemplate).template, captures: rightNames)
        let other = unifier.instantiate(("c/{x}" as TopicTemplate).template, captures: rightNames)
        #expect(unifier.areIdentical(first, same))
        #expect(!unifier.areIdentical(first, other))
        var strict = unifier
        #expect(strict.unify(first, other) == false)
        #expect(unifier.unify(first, same) == true)
    }

    @Test("a rest does not hold itself with something in front")
    func noInfiniteText() {
        var unifier = Unifier()
        let (left, leftNames) = unifier.instantiate(("{x...}" as TopicTemplate).template)
        let (right, rightNames) = unifier.instantiate(("a/{x...}" as TopicTemplate).template)
        #expect(unifier.unify(left, right) == true)
        let first = unifier.instantiate(("{x...}" as TopicTemplate).template, captures: leftNames)
        let second = unifier.instantiate(("{x...}" as TopicTemplate).template, captures: rightNames)
        #expect(unifier.unify(first, second) == false)
    }

    @Test("a wildcard at the beginning does not stand for what begins with $")
    func reserved() {
        func mayOverlap(_ left: TopicTemplate, _ right: TopicTemplate) -> Bool {
            var unifier = Unifier()
            return Unifier.mayOverlap(
                unifier.instantiate(left.template).list,
                unifier.instantiate(right.template).list
            )
        }
        #expect(!mayOverlap("{x...}", "$SYS/{y...}"))
        #expect(!mayOverlap("$\u{301}", "{x}"))
        #expect(mayOverlap("$SYS/{x}", "$SYS/{y...}"))
        #expect(mayOverlap("{x}", "a"))
    }
}

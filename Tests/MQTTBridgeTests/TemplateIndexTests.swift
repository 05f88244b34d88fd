import Testing

@testable import MQTTBridge
import TestSupport

@Suite("TemplateIndex")
struct TemplateIndexTests {
    @Test("finds what a comparison with each finds", arguments: Seed.fresh(3))
    func naive(seed: Seed) throws {
        var random = seed.random
        var templates: [Template] = []
        var index = TemplateIndex()
        for _ in 0..<150 {
            let template = try template(&random)
            let expected = templates.indices.filter { mayOverlap(templates[$0].parts[...], template.parts[...]) }
            #expect(index.values(overlapping: template).sorted() == expected, "\(template.text)")
            index.insert(templates.count, template)
            templates.append(template)
        }
    }

    @Test("literals are told apart by bytes")
    func exact() throws {
        var index = TemplateIndex()
        index.insert(1, ("\u{e9}" as TopicTemplate).template)
        #expect(index.values(overlapping: ("e\u{301}" as TopicTemplate).template).isEmpty)
        #expect(index.values(overlapping: ("\u{e9}" as TopicTemplate).template) == [1])
    }

    private func template(_ random: inout SplitMix64) throws -> Template {
        let sides = RandomTemplates(&random, captures: random.below(3), literals: 2) { $0.pick(["a", "b", "c"]) }
        return try sides.route.topic.template
    }

    private func mayOverlap(_ left: ArraySlice<Template.Part>, _ right: ArraySlice<Template.Part>) -> Bool {
        if case .rest = left.first { return true }
        if case .rest = right.first { return true }
        guard let first = left.first, let second = right.first else { return left.isEmpty && right.isEmpty }
        if case .literal(let one) = first, case .literal(let other) = second, one != other { return false }
        return mayOverlap(left.dropFirst(), right.dropFirst())
    }
}

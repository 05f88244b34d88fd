import Testing
import Torture

@Suite("Reports of power cuts")
struct PowerCutReportTests {
    private let held = PowerCutReport(images: 20, moments: 7, violations: 0, violation: nil, seconds: 1.25, seed: 5)
    private let broken = PowerCutReport(images: 20, moments: 7, violations: 2, violation: "a\nb", seconds: 1, seed: 5)

    @Test("a report says how many images of how many moments were opened, and what repeats it")
    func text() {
        #expect(held.text(.text) == "F32 power cut: 20 images of 7 moments, 0 violations, 1.2 s, seed 5: held")
        #expect(
            broken.text(.text) == "F32 power cut: 20 images of 7 moments, 2 violations, 1.0 s, seed 5: broken\na\nb"
        )
    }

    @Test("for programs it is one line")
    func json() {
        #expect(
            broken.text(.json) == """
                {"scenario":"F32","images":20,"moments":7,"violations":2,"seconds":1.0,"seed":5,"ok":false,\
                "violation":"a\\nb"}
                """
        )
    }

    @Test("for documents it is a table")
    func markdown() {
        #expect(held.text(.markdown).hasSuffix("| F32 power cut | 20 | 7 | 0 | 1.2 | 5 | held |"))
    }

    @Test("power cuts are tried as often as asked for, and hold")
    func run() async throws {
        let report = try await PowerCuts(seed: .random(in: 1...999_999), images: 30).run()
        #expect(report.held && report.images == 30 && report.moments > 0, "seed \(report.seed): \(report)")
    }
}

import SQLiteStore
import StoreTesting
import TestSupport
import Testing

/// On threads of their own: they compute for long, and others here wait for tasks.
@Suite("Stores and power cuts")
struct PowerCutTests {
    /// Of one seed.
    private static let images = 400

    @Test(
        "with `synchronous: full` whatever a power cut leaves holds all that had returned, whole, and can be written on",
        arguments: Seed.fresh(6)
    )
    func full(_ seed: Seed) async throws {
        let outcome = try await onThread {
            try PowerCutRound(seed: seed.value, synchronous: .full, images: Self.images).run()
        }
        #expect(outcome.violations == 0, "\(outcome.violation?.description ?? ""), \(seed)")
        #expect(outcome.images == Self.images, "\(seed)")
    }

    @Test(
        "with `synchronous: normal` a power cut takes at most what came after the log was synced last, and damages nothing",
        arguments: Seed.fresh(2)
    )
    func normal(_ seed: Seed) async throws {
        let outcome = try await onThread {
            try PowerCutRound(seed: seed.value, synchronous: .normal, images: Self.images).run()
        }
        #expect(outcome.violations == 0, "\(outcome.violation?.description ?? ""), \(seed)")
        #expect(outcome.images == Self.images, "\(seed)")
    }

    @Test(
        "a store whose maker was killed before it was done survives a power cut that comes after another process went on",
        arguments: 6...10
    )
    func killedMaker(_ nameChanges: Int) async throws {
        let seed = Seed.fresh(1)[0]
        let outcome = try await onThread {
            var round = PowerCutRound(seed: seed.value, synchronous: .full, images: 100)
            round.killedAfter = nameChanges
            return try round.run()
        }
        #expect(outcome.violations == 0, "\(outcome.violation?.description ?? ""), \(seed)")
    }

    @Test("a sync that is missing, and an answer before the commit, are found", arguments: PlantedFault.allCases)
    func plantedFault(_ fault: PlantedFault) async throws {
        let seed = Seed.fresh(1)[0]
        let outcome = try await onThread {
            try PowerCutRound(seed: seed.value, synchronous: .full, images: 200, fault: fault).run()
        }
        #expect(outcome.violations > 0, "\(seed)")
    }

    @Test("a seed repeats its images, and a smaller number the first of them")
    func repeats() async throws {
        let seed = Seed.fresh(1)[0]
        func violation(_ images: Int) async throws -> PowerCutViolation? {
            try await onThread {
                try PowerCutRound(seed: seed.value, synchronous: .full, images: images, fault: .earlyAnswer).run()
            }.violation
        }
        let first = try #require(try await violation(200), "\(seed)")
        let again = try #require(try await violation(first.image), "\(seed)")
        #expect(again.text == first.text && again.steps == first.steps && again.image == first.image, "\(seed)")
    }
}

internal import FaultKit
package import SQLiteStore

/// Fills stores while their medium is recorded, then checks images that power cuts could have left of them.
///
/// The seed determines everything except the salts of SQLite's log. Images are made one after the other, so that a
/// smaller number of them repeats the first ones.
package struct PowerCutRound: Sendable {
    package var seed: UInt64
    package var synchronous: SQLiteStoreOptions.Synchronous
    package var images: Int
    package var fault: PlantedFault?
    /// The number of name changes after which the process that creates the store is killed and another one continues; nil
    /// lets the seed decide.
    package var killedAfter: Int?

    /// - Parameter synchronous: Nil lets the seed decide: `normal` in a quarter of the rounds.
    package init(
        seed: UInt64,
        synchronous: SQLiteStoreOptions.Synchronous? = nil,
        images: Int,
        fault: PlantedFault? = nil
    ) {
        var random = SplitMix64(seed: ~seed)
        self.seed = seed
        self.synchronous = synchronous ?? (random.chance(1, in: 4) ? .normal : .full)
        self.images = images
        self.fault = fault
    }

    /// The result of a round.
    package struct Outcome: Sendable {
        package var images = 0
        package var moments = 0
        package var violations = 0
        /// The first violation.
        package var violation: PowerCutViolation?

        package init() {}

        package mutating func add(_ other: Outcome) {
            images += other.images
            moments += other.moments
            violations += other.violations
            violation = violation ?? other.violation
        }
    }

    /// The most images of one record.
    private static let imagesOfRecord = 200

    /// - Parameter isCancelled: Called before each image. If it returns true, the round returns the result so far.
    package func run(isCancelled: () -> Bool = { false }) throws -> Outcome {
        let folder = try MemoryFolder()
        defer { folder.remove() }
        var random = SplitMix64(seed: seed)
        var outcome = Outcome()
        var beginning: RecordedStore.Beginning?
        while outcome.images < images, !isCancelled() {
            // At most every second record is of a bridge that starts after a power cut: another one may follow.
            let first = RecordedStore.Beginning(
                root: try folder.make("live"),
                batches: RandomBatches(seed: random.next(), hasFewLarge: true)
            )
            let record = try RecordedStore(
                beginning ?? first,
                synchronous: synchronous,
                fault: fault,
                killedAfter: killedAfter,
                random: &random
            )
            beginning = try cut(record, folder, &outcome, &random, isCancelled, goesOn: beginning == nil)
        }
        return outcome
    }

    /// Makes images of a record and checks them. Returns one with which the next record may begin.
    private func cut(
        _ record: RecordedStore,
        _ folder: MemoryFolder,
        _ outcome: inout Outcome,
        _ random: inout SplitMix64,
        _ isCancelled: () -> Bool,
        goesOn: Bool
    ) throws -> RecordedStore.Beginning? {
        let check = ImageCheck(states: record.models.map { StoreState($0) }, options: record.options)
        // Always the same number, so that the seed repeats the moments for any number of images.
        let moments = Moments(of: record.events, after: record.begin, images: Self.imagesOfRecord, random: &random)
        var beginning: RecordedStore.Beginning?
        var medium = Medium()
        for (index, event) in record.events.enumerated() {
            medium.apply(event)
            if moments.cuts[index] > 0 { outcome.moments += 1 }
            for _ in 0..<moments.cuts[index] {
                guard outcome.images < images, !isCancelled() else { return beginning }
                var maker = ImageMaker(medium, random: SplitMix64(seed: random.next()))
                let image = try folder.make("image")
                var copy = maker
                try maker.write(to: image)
                outcome.images += 1
                let found = check.check(
                    "\(image)/\(RecordedStore.name)",
                    allowed: allowed(medium, record),
                    writesMore: outcome.images % 8 == 0
                )
                switch found {
                case .violated(let text):
                    outcome.violations += 1
                    if outcome.violation == nil {
                        outcome.violation = PowerCutViolation(
                            seed: seed,
                            image: outcome.images,
                            text: text,
                            steps: PowerCutViolation.steps(record.events[record.begin...index])
                                + ["the power is cut; left are"] + maker.lines
                        )
                    }
                case .holds(let step):
                    guard goesOn, random.chance(1, in: 20) else { continue }
                    let root = try folder.make("again")
                    try copy.write(to: root)
                    beginning = RecordedStore.Beginning(
                        root: root,
                        model: record.models[step],
                        batches: record.batches,
                        isEmpty: false
                    )
                }
            }
        }
        return beginning
    }

    /// Returns the steps whose state the store may hold after a power cut now.
    private func allowed(_ medium: Medium, _ record: RecordedStore) -> ClosedRange<Int> {
        // A killed process may have begun a step that the next process did not find.
        let last = min(medium.begun, record.models.count - 1)
        return (synchronous == .full ? medium.answered : medium.logged)...last
    }
}

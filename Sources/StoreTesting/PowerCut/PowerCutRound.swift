internal import FaultKit
package import SQLiteStore

/// Stores that are filled while their medium is recorded, and images of what power cuts would have left of them.
///
/// The seed decides everything but for the salts of SQLite's log. Images are made one after the other, so that a smaller
/// number of them repeats the first ones.
package struct PowerCutRound: Sendable {
    package var seed: UInt64
    package var synchronous: SQLiteStoreOptions.Synchronous
    package var images: Int
    package var fault: PlantedFault?
    /// After how many changes of names the process that makes the store is killed, and another one goes on; nil lets the
    /// seed decide.
    package var killedAfter: Int?

    /// - Parameter synchronous: Nil lets the seed decide; `normal` is a quarter.
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

    /// What was tried.
    package struct Outcome: Sendable {
        package var images = 0
        package var moments = 0
        package var violations = 0
        /// The first one.
        package var violation: PowerCutViolation?

        package init() {}

        package mutating func add(_ other: Outcome) {
            images += other.images
            moments += other.moments
            violations += other.violations
            violation = violation ?? other.violation
        }
    }

    /// How many images are made of one record at most.
    private static let imagesOfRecord = 200

    /// - Parameter isCancelled: Asked before each image; what was tried so far is returned.
    package func run(isCancelled: () -> Bool = { false }) throws -> Outcome {
        let folder = try MemoryFolder()
        defer { folder.remove() }
        var random = SplitMix64(seed: seed)
        var outcome = Outcome()
        var beginning: RecordedStore.Beginning?
        while outcome.images < images, !isCancelled() {
            // Every second record is of a bridge that starts after a power cut: there may be another one.
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

    /// Makes images of a record and opens them. Returns one from which a bridge may go on.
    private func cut(
        _ record: RecordedStore,
        _ folder: MemoryFolder,
        _ outcome: inout Outcome,
        _ random: inout SplitMix64,
        _ isCancelled: () -> Bool,
        goesOn: Bool
    ) throws -> RecordedStore.Beginning? {
        let check = ImageCheck(states: record.models.map { StoreState($0) }, options: record.options)
        // Always as many, so that the seed repeats them however many are asked for.
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

    /// After which steps a store may be that is cut off now.
    private func allowed(_ medium: Medium, _ record: RecordedStore) -> ClosedRange<Int> {
        // A process that was killed can have begun a step that nobody found.
        let last = min(medium.begun, record.models.count - 1)
        return (synchronous == .full ? medium.answered : medium.logged)...last
    }
}

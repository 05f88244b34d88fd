internal import FaultKit
internal import Foundation
internal import MessageStore
internal import SQLiteStore

/// A record of a store: the events on its medium, and its contents after each step.
struct RecordedStore {
    /// The initial state of a store: nothing, or an image of a power cut.
    struct Beginning {
        /// The folder below which the store is, or will be created.
        var root: String
        var model = StoreModel()
        var batches: RandomBatches
        var isEmpty = true
    }

    private(set) var events: [MediumEvent] = []
    /// The number of events that describe the initial state.
    let begin: Int
    /// The number of events before the last power cut; nil for all.
    private var length: Int?
    /// The state of the store after each step; the first element is the initial state.
    private(set) var models: [StoreModel]
    /// The generator, for a record that continues this one.
    private(set) var batches: RandomBatches
    private(set) var options: SQLiteStoreOptions

    /// The path of the store below the root. Its folders do not exist at first.
    static let name = "site/bridge/store.db"

    init(
        _ beginning: Beginning,
        synchronous: SQLiteStoreOptions.Synchronous,
        fault: PlantedFault?,
        killedAfter nameChanges: Int?,
        random: inout SplitMix64
    ) throws {
        let recorder = try MediumRecorder(root: beginning.root, fault: fault)
        begin = recorder.count
        var options = SQLiteStoreOptions(path: "\(recorder.root)/\(Self.name)", synchronous: synchronous)
        options.logFrames = random.pick([30, 60, 120, 250])
        (self.options, models, batches) = (options, [beginning.model], beginning.batches)
        if fault == nil, beginning.isEmpty, nameChanges != nil || random.chance(1, in: 3) {
            let isAnywhere = nameChanges == nil && random.chance(1, in: 2)
            let moment: MediumRecorder.KillMoment =
                isAnywhere
                ? .events(1 + random.below(400)) : .nameChanges(nameChanges ?? 1 + random.below(16))
            recorder.kill(at: moment, copyTo: beginning.root + ".killed")
        }
        let sessions = beginning.isEmpty ? 1 + random.below(3) : 1
        try use(recorder, fault, sessions: sessions, &random)
        guard let killed = recorder.killed else { return }
        // Discards later events: another process continues, on a medium that need not have everything that the process sees.
        events = killed.events
        models = Array(models.prefix(1 + (try stepFound(killed))))
        let next = try MediumRecorder(after: killed)
        self.options.path = "\(next.root)/\(Self.name)"
        length = nil
        try use(next, fault, sessions: 1, &random)
    }

    /// Returns the step whose state the next process finds after a kill.
    private func stepFound(_ killed: MediumRecorder.Killed) throws -> Int {
        var (begun, returned) = (0, 0)
        for event in killed.events {
            if case .began(let step) = event { begun = step }
            if case .returned(let step, _) = event { returned = step }
        }
        let copy = killed.root + ".copy"
        try FileManager.default.copyItem(atPath: killed.root, toPath: copy)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let check = ImageCheck(states: models.map { StoreState($0) }, options: options)
        switch check.check("\(copy)/\(Self.name)", allowed: returned...begun, writesMore: false) {
        case .holds(let step): return step
        case .violated(let text): throw StoreTestingError("after a kill: \(text)")
        }
    }

    /// Runs sessions of processes, which end in order except perhaps the last one.
    private mutating func use(
        _ recorder: MediumRecorder,
        _ fault: PlantedFault?,
        sessions: Int,
        _ random: inout SplitMix64
    ) throws {
        // The files are closed before the recording ends.
        defer { events = Array(recorder.end().prefix(length ?? .max)) }
        for session in 1...sessions {
            try use(recorder, fault, closing: session < sessions || random.chance(1, in: 2), &random)
        }
    }

    private mutating func use(
        _ recorder: MediumRecorder,
        _ fault: PlantedFault?,
        closing: Bool,
        _ random: inout SplitMix64
    ) throws {
        let store = try SQLiteStore.open(options, calls: recorder)
        defer { store.close() }
        try step(recorder, fault, maySlip: false) { model in
            model.recover()
            return { _ = try store.recover() }
        }
        for _ in 0..<5 + random.below(25) {
            let batch = batches.next(letters: models.last!.lastLetter)
            try step(recorder, fault, maySlip: batch.isRepeatable) { model in
                _ = model.apply(batch)
                return { _ = try store.commit(batch) }
            }
        }
        // The power is cut before the store is closed.
        if !closing { length = recorder.count }
    }

    private mutating func step(
        _ recorder: MediumRecorder,
        _ fault: PlantedFault?,
        maySlip: Bool,
        _ prepare: (inout StoreModel) -> () throws -> Void
    ) throws {
        var model = models.last!
        let carryOut = prepare(&model)
        // A step that changes nothing writes nothing, so it does not make earlier steps durable either.
        let maySlip = maySlip || StoreState(model) == StoreState(models.last!)
        models.append(model)
        let number = models.count - 1
        recorder.note(.began(step: number))
        if fault == .earlyAnswer { recorder.note(.returned(step: number, maySlip: maySlip)) }
        try carryOut()
        if fault != .earlyAnswer { recorder.note(.returned(step: number, maySlip: maySlip)) }
    }
}

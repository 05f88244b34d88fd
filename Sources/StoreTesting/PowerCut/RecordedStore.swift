internal import FaultKit
internal import Foundation
internal import MessageStore
internal import SQLiteStore

/// What was done to a store, what reached its medium, and what the store held after each step.
struct RecordedStore {
    /// Where a store begins: with nothing, or with what a power cut has left.
    struct Beginning {
        /// The folder below which the store is, or will be.
        var root: String
        var model = StoreModel()
        var batches: RandomBatches
        var isEmpty = true
    }

    private(set) var events: [MediumEvent] = []
    /// How many events are what the store began with.
    let begin: Int
    /// How many events there were when the power was cut at last; nil for all.
    private var length: Int?
    /// What the store held after each step; the first one is that before any.
    private(set) var models: [StoreModel]
    /// As it goes on.
    private(set) var batches: RandomBatches
    private(set) var options: SQLiteStoreOptions

    /// Where the store is below the root. Its folders are missing in the beginning.
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
        // What came later did not happen: another process goes on, with a medium that need not have all it sees.
        events = killed.events
        models = Array(models.prefix(1 + (try stepFound(killed))))
        let next = try MediumRecorder(after: killed)
        self.options.path = "\(next.root)/\(Self.name)"
        length = nil
        try use(next, fault, sessions: 1, &random)
    }

    /// After which step a process finds the store that another one was killed with.
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

    /// Sessions of processes that end in order, but perhaps for the last one.
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
        let store = try SQLiteStore.open(options, calls: recorder).store
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
        // A step that changes nothing writes nothing, and so does not make the steps before it durable either.
        let maySlip = maySlip || StoreState(model) == StoreState(models.last!)
        models.append(model)
        let number = models.count - 1
        recorder.note(.began(step: number))
        if fault == .earlyAnswer { recorder.note(.returned(step: number, maySlip: maySlip)) }
        try carryOut()
        if fault != .earlyAnswer { recorder.note(.returned(step: number, maySlip: maySlip)) }
    }
}

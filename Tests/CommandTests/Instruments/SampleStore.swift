import Foundation
import MessageStore
import SQLiteStore
import TestSupport

/// A store in a folder of its own, as a bridge leaves it.
struct SampleStore {
    static let second: Int64 = 1_000_000_000

    let folder: TemporaryDirectory
    /// When it was made.
    let now: Int64

    init() throws {
        folder = try TemporaryDirectory()
        now = Int64(Date().timeIntervalSince1970) * Self.second
    }

    var path: String { folder.file("store.sqlite") }

    /// Opens it as a bridge does, which makes it if it is missing.
    func open() throws -> SQLiteStore {
        try SQLiteStore.open(SQLiteStoreOptions(path: path))
    }

    /// Changes it as a bridge does that is not running any more.
    func fill(_ change: (inout StoreBatch) -> Void) throws {
        let store = try open()
        defer { store.close() }
        var batch = StoreBatch()
        change(&batch)
        try store.commit(batch)
    }

    func inbound(_ sequence: Int64, route: String, payload: String = "21", age: Int64 = 0) -> InboundRecord {
        InboundRecord(
            sequence: sequence,
            route: route,
            broker: "home",
            topic: "a/b",
            event: "a.b",
            source: "s",
            tag: "\(sequence)",
            payload: Array(payload.utf8),
            time: now - age * Self.second,
            listeners: ["x"]
        )
    }

    func outbound(_ sequence: Int64, route: String, age: Int64 = 0) -> OutboundRecord {
        OutboundRecord(
            sequence: sequence,
            route: route,
            broker: "home",
            topic: "a/b",
            event: "a.b",
            source: "s",
            tag: "\(sequence)",
            payload: [1],
            qos: 1,
            time: now - age * Self.second
        )
    }

    /// - Parameter age: How many seconds ago it was given up.
    func letter(
        _ direction: DeadLetter.Direction = .inbound,
        route: String = "climate",
        topic: String = "home/kitchen/temperature",
        payload: [UInt8]? = Array("21".utf8),
        details: String = "",
        listener: String = "recorder",
        error: String = "timed out",
        age: Int64 = 60
    ) -> DeadLetter {
        DeadLetter(
            direction: direction,
            route: route,
            broker: "home",
            topic: topic,
            event: "climate.kitchen",
            source: "sensor",
            tag: "77",
            payload: payload,
            payloadSize: payload?.count ?? 5_000_000,
            details: details,
            listener: listener,
            error: error,
            attempts: 3,
            time: now - (age + 60) * Self.second,
            died: now - age * Self.second
        )
    }

    /// The numbers of the letters for which a replay was asked.
    func requested() throws -> [Int64] {
        try letters(DeadLetterFilter(onlyReplayRequested: true))
    }

    /// The numbers of the letters.
    func letters(_ filter: DeadLetterFilter = .all) throws -> [Int64] {
        let store = try SQLiteStore.openForOperator(path: path)
        defer { store.close() }
        return try store.deadLetters(filter, limit: 1_000).map(\.number)
    }
}

extension DeadLetter {
    /// A moment as the commands print it, without the fraction.
    static func text(_ nanoseconds: Int64) -> String {
        let date = Date(timeIntervalSince1970: Double(nanoseconds / SampleStore.second))
        return String(date.formatted(.iso8601).dropLast())
    }
}

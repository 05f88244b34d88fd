import AsyncEventBus
import MQTTBridge
import MessageStore
import Mosquitto
import SQLiteStore

/// The output of `mqtt-bridge store status`.
struct StoreReport {
    let path: String
    let status: StoreStatus
    /// The shares of brokers, routes and listeners that are not in the configuration; nil without a configuration.
    let others: [StoreShare]?
    let owner: StoreOwner
    /// The current time by the clock of the store.
    let now: Timestamp

    private var oldest: Int64? { status.loads.map(\.oldest).min() }

    /// The report as one JSON object.
    var json: String {
        let routes = status.loads.map { load in
            JSONText.object([
                ("direction", JSONText.string(load.direction.rawValue)), ("route", JSONText.string(load.route)),
                ("messages", String(load.messages)), ("bytes", String(load.bytes)),
                ("oldest", Self.json(load.oldest)),
            ])
        }
        let others = others?.map { share in
            JSONText.object([
                ("kind", JSONText.string(share.owner.kind)), ("name", JSONText.string(share.owner.name)),
                ("messages", String(share.messages)), ("bytes", String(share.bytes)),
            ])
        }
        return JSONText.object([
            ("path", JSONText.string(path)), ("messages", String(status.messages)), ("bytes", String(status.bytes)),
            ("oldest", oldest.map(Self.json) ?? "null"), ("routes", "[\(routes.joined(separator: ","))]"),
            ("dead_letters", String(status.deadLetters)), ("identities", String(status.seen)),
            ("size", String(status.size)), ("process", owner.json),
            ("not_configured", others.map { "[\($0.joined(separator: ","))]" } ?? "null"),
        ])
    }

    /// The sums, a table of the routes, and a table of the owners that are not in the configuration.
    var text: String {
        var lines = [
            "store         \(escapedForLog(path, limit: 4_096))",
            "process       \(owner.text)",
            "messages      \(status.messages), \(Self.size(status.bytes))",
            "oldest        \(oldest.map { Self.moment($0, now: now) } ?? "none")",
            "dead letters  \(status.deadLetters)",
            "identities    \(status.seen)",
            "size on disk  \(Self.size(status.size))",
        ]
        guard !status.loads.isEmpty else { return lines.joined(separator: "\n") }
        lines += [""] + Self.table([["direction", "route", "messages", "size", "oldest"]] + routeRows)
        if let others, !others.isEmpty {
            let rows = others.map { share in
                [
                    share.owner.kind, escapedForLog(share.owner.name, limit: 80), String(share.messages),
                    Self.size(share.bytes),
                ]
            }
            lines += ["", "not in the configuration:"] + Self.table([["kind", "name", "messages", "size"]] + rows)
        }
        return lines.joined(separator: "\n")
    }

    private var routeRows: [[String]] {
        status.loads.map { load in
            [
                load.direction.rawValue, escapedForLog(load.route, limit: 80), String(load.messages),
                Self.size(load.bytes), Self.moment(load.oldest, now: now),
            ]
        }
    }

    /// Returns the rows as lines with aligned columns.
    private static func table(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row.dropLast(), widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            return (cells + row.suffix(1)).joined(separator: "  ")
        }
    }

    private static func json(_ time: Int64) -> String { JSONText.string(Timestamp(nanoseconds: time).description) }

    private static func moment(_ time: Int64, now: Timestamp) -> String {
        let seconds = max(0, now.nanoseconds / 1_000_000_000 - time / 1_000_000_000)
        return "\(Timestamp(nanoseconds: time)) (\(age(seconds)) ago)"
    }

    /// Returns an age in at most two units: `3d 4h`.
    private static func age(_ seconds: Int64) -> String {
        let parts = [
            (seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"),
        ]
        guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "0s" }
        return parts[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined(separator: " ")
    }

    /// Returns a size with one decimal, rounded down.
    static func size(_ bytes: Int) -> String {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes >> shift > 0 {
            let tenths = bytes / (1 << shift) * 10 + bytes % (1 << shift) * 10 / (1 << shift)
            return "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        return "\(bytes) B"
    }
}

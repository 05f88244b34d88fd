/// The cached statements. The last value of each INSERT is the checksum of the preceding values, and so is the last
/// column of each SELECT of whole rows.
enum Query: Int, CaseIterable {
    case insertInbound, selectInbound, deleteInbound, everyInbound
    case insertOutbound, selectOutbound, deleteOutbound, everyOutbound, selectTopics
    case insertProgress, selectProgress, deleteProgress, anyProgress, everyProgress
    case insertSeen, everySeen, seenRange, seenFrom, deleteSeen
    case insertName, selectName, everyName, findName, lastName
    case insertEnvelope, selectEnvelope, everyEnvelope, findEnvelope, lastEnvelope
    case insertState, everyState, selectState
    case insertLetter, everyLetter, deleteLetter, oldestLetters, letterSums
    case oneInbound, oneOutbound, pageCount, freeCount
    case oldestInbound, oldestOutbound, expiredInbound, expiredOutbound
    case lastInbound, lastOutbound, inboundLoads, outboundLoads
    case newestNames, newestEnvelopes, newestState, newestInbound, newestOutbound, newestProgress, newestSeen
    case newestLetters
    case finishedShares, droppedInbound, droppedOutbound

    private static let inbound = "sequence, envelope, size, time, expires, head, payload, checksum"
    private static let outbound = """
        sequence, route, broker, size, qos, retained, time, expires, topic, event, source, tag, details, payload, checksum
        """
    /// The columns of a dead letter under its checksum, which covers neither the number nor the replay request.
    static let letter = """
        direction, route, broker, topic, event, source, tag, listener, error, attempts, time, died, qos, retained, \
        details, payload_size, size, payload, checksum
        """
    private static let inboundRemoval = "sequence, size, envelope, head"
    private static let outboundRemoval = "sequence, size, route, broker, topic"
    private static let envelope = "id, route, broker, listeners, generation, checksum"
    private static let name = "id, name, checksum"
    private static let state = "name, value, checksum"
    private static let progress = "sequence, listener, finished, attempts, checksum"
    private static let seen = "time, source, tag, event, digest, checksum"

    var sql: String {
        switch self {
        case .insertInbound: "INSERT INTO inbound (\(Self.inbound)) VALUES (?,?,?,?,?,?,?,?)"
        case .selectInbound: "SELECT \(Self.inbound) FROM inbound WHERE sequence > ? ORDER BY sequence LIMIT ?"
        case .pageCount: "PRAGMA page_count"
        case .freeCount: "PRAGMA freelist_count"
        case .oneInbound: "SELECT \(Self.inbound) FROM inbound WHERE sequence = ?"
        case .oneOutbound: "SELECT \(Self.outbound) FROM outbound WHERE sequence = ?"
        case .deleteInbound: "DELETE FROM inbound WHERE sequence BETWEEN ? AND ?"
        case .everyInbound: "SELECT \(Self.inbound) FROM inbound"
        case .insertOutbound:
            "INSERT INTO outbound (\(Self.outbound)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        case .selectOutbound:
            "SELECT \(Self.outbound) FROM outbound WHERE broker = ? AND sequence > ? ORDER BY sequence LIMIT ?"
        case .deleteOutbound: "DELETE FROM outbound WHERE sequence BETWEEN ? AND ?"
        case .everyOutbound: "SELECT \(Self.outbound) FROM outbound"
        case .selectTopics: "SELECT DISTINCT topic FROM outbound WHERE broker = ? LIMIT ?"
        case .insertProgress:
            """
            INSERT OR REPLACE INTO progress (\(Self.progress))
            SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM inbound WHERE sequence = ?1)
            """
        case .selectProgress:
            "SELECT \(Self.progress) FROM progress WHERE sequence = ?"
        case .deleteProgress: "DELETE FROM progress WHERE sequence BETWEEN ? AND ?"
        case .anyProgress: "SELECT 1 FROM progress LIMIT 1"
        case .everyProgress: "SELECT \(Self.progress) FROM progress"
        case .insertSeen: "INSERT INTO seen (\(Self.seen)) VALUES (?,?,?,?,?,?)"
        case .everySeen: "SELECT \(Self.seen) FROM seen ORDER BY id"
        case .seenRange: "SELECT (SELECT min(id) FROM seen), (SELECT max(id) FROM seen)"
        case .seenFrom: "SELECT id FROM seen WHERE time >= ? ORDER BY id LIMIT 1"
        case .deleteSeen: "DELETE FROM seen WHERE id <= ?"
        case .insertName: "INSERT INTO names (\(Self.name)) VALUES (?,?,?)"
        case .selectName: "SELECT \(Self.name) FROM names WHERE id = ?"
        case .everyName: "SELECT \(Self.name) FROM names"
        case .findName: "SELECT id FROM names WHERE name = ?"
        case .lastName: "SELECT coalesce(max(id), 0) FROM names"
        case .insertEnvelope: "INSERT INTO envelopes (\(Self.envelope)) VALUES (?,?,?,?,?,?)"
        case .selectEnvelope: "SELECT \(Self.envelope) FROM envelopes WHERE id = ?"
        case .everyEnvelope: "SELECT \(Self.envelope) FROM envelopes"
        case .findEnvelope:
            "SELECT id FROM envelopes WHERE generation = ? AND route = ? AND broker = ? AND listeners = ?"
        case .lastEnvelope: "SELECT coalesce(max(id), 0) FROM envelopes"
        case .insertState: "INSERT OR REPLACE INTO state (\(Self.state)) VALUES (?,?,?)"
        case .everyState: "SELECT \(Self.state) FROM state"
        case .selectState: "SELECT \(Self.state) FROM state WHERE name = ?"
        case .insertLetter: "INSERT INTO letters (\(Self.letter)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        case .everyLetter: "SELECT \(Self.letter) FROM letters"
        case .deleteLetter: "DELETE FROM letters WHERE number = ?"
        case .oldestLetters: "SELECT number, size, direction, route, broker, topic FROM letters ORDER BY number"
        case .letterSums: "SELECT count(*), coalesce(sum(size), 0) FROM letters"
        case .oldestInbound: "SELECT \(Self.inboundRemoval) FROM inbound WHERE sequence >= ? ORDER BY sequence"
        case .oldestOutbound: "SELECT \(Self.outboundRemoval) FROM outbound WHERE sequence >= ? ORDER BY sequence"
        case .expiredInbound: "SELECT \(Self.inboundRemoval) FROM inbound WHERE expires < ?"
        case .expiredOutbound: "SELECT \(Self.outboundRemoval) FROM outbound WHERE expires < ?"
        case .lastInbound: "SELECT coalesce(max(sequence), 0) FROM inbound"
        case .lastOutbound: "SELECT coalesce(max(sequence), 0) FROM outbound"
        case .inboundLoads: "SELECT size, time, envelope FROM inbound"
        case .outboundLoads: "SELECT size, time, route, broker, topic FROM outbound"
        case .finishedShares:
            """
            SELECT listener, count(*), sum(size) FROM progress JOIN inbound USING (sequence) WHERE finished = 1
            GROUP BY listener
            """
        case .droppedInbound:
            """
            SELECT sequence, envelope, size FROM inbound
            WHERE sequence > ? AND envelope IN (SELECT value FROM json_each(?)) ORDER BY sequence
            """
        case .droppedOutbound:
            "SELECT sequence, route, size FROM outbound WHERE sequence > ? AND (route = ? OR broker = ?) ORDER BY sequence"
        case .newestNames: Self.newest(Self.name, of: "names", by: "id")
        case .newestEnvelopes: Self.newest(Self.envelope, of: "envelopes", by: "id")
        case .newestState: Self.newest(Self.state, of: "state", by: "name")
        case .newestInbound: Self.newest(Self.inbound, of: "inbound", by: "sequence", "AND size <= \(Self.small)")
        case .newestOutbound: Self.newest(Self.outbound, of: "outbound", by: "sequence", "AND size <= \(Self.small)")
        case .newestProgress: Self.newest(Self.progress, of: "progress", by: "sequence")
        case .newestSeen: Self.newest(Self.seen, of: "seen", by: "id")
        case .newestLetters: Self.newest(Self.letter, of: "letters", by: "number", "AND size <= \(Self.small)")
        }
    }

    /// A quick check skips rows with a larger size, in bytes.
    private static let small = 16_384

    private static func newest(_ columns: String, of table: String, by key: String, _ condition: String = "") -> String
    {
        """
        SELECT \(columns) FROM \(table)
        WHERE \(key) IN (SELECT \(key) FROM \(table) ORDER BY \(key) DESC LIMIT 8) \(condition)
        """
    }

    /// Queries for all rows of each table, with checksums.
    static let everyRow: [(query: Query, table: String)] = [
        (.everyName, "names"), (.everyEnvelope, "envelopes"), (.everyState, "state"), (.everyInbound, "inbound"),
        (.everyOutbound, "outbound"), (.everyProgress, "progress"), (.everySeen, "seen"), (.everyLetter, "letters"),
    ]

    /// Queries for the newest rows of each table, with checksums.
    static let newestRows: [(query: Query, table: String)] = [
        (.newestNames, "names"), (.newestEnvelopes, "envelopes"), (.newestState, "state"),
        (.newestInbound, "inbound"), (.newestOutbound, "outbound"), (.newestProgress, "progress"),
        (.newestSeen, "seen"), (.newestLetters, "letters"),
    ]
}

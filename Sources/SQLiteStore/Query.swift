/// The statements that are kept prepared. The last value of each INSERT is the checksum of those before it, and so is
/// the last column of each SELECT of whole rows.
enum Query: Int, CaseIterable {
    case insertInbound, selectInbound, deleteInbound, everyInbound
    case insertOutbound, selectOutbound, deleteOutbound, everyOutbound, selectTopics
    case insertProgress, selectProgress, deleteProgress, anyProgress, everyProgress
    case insertSeen, everySeen, seenRange, seenFrom, deleteSeen
    case insertName, selectName, everyName, findName, lastName
    case insertEnvelope, selectEnvelope, everyEnvelope, findEnvelope, lastEnvelope
    case insertState, everyState, selectState
    case insertLetter, everyLetter, deleteLetter, trimLetters, countLetters
    case oldestInbound, oldestOutbound, expiredInbound, expiredOutbound
    case lastInbound, lastOutbound, inboundLoads, outboundLoads

    private static let inbound = "sequence, envelope, size, time, expires, head, payload, checksum"
    private static let outbound = """
        sequence, route, broker, size, qos, retained, time, expires, topic, event, source, tag, details, payload, checksum
        """
    /// The columns of a letter but for its number and the request, which its checksum leaves out.
    static let letter = """
        direction, route, broker, topic, event, source, tag, listener, error, attempts, time, died, qos, retained, \
        details, payload_size, payload, checksum
        """
    private static let inboundRemoval = "sequence, size, envelope, head"
    private static let outboundRemoval = "sequence, size, route, broker, topic"
    private static let envelope = "id, route, broker, listeners, generation, checksum"
    private static let load = "count(*), sum(size), min(time)"

    var sql: String {
        switch self {
        case .insertInbound: "INSERT INTO inbound (\(Self.inbound)) VALUES (?,?,?,?,?,?,?,?)"
        case .selectInbound: "SELECT \(Self.inbound) FROM inbound WHERE sequence > ? ORDER BY sequence LIMIT ?"
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
            INSERT OR REPLACE INTO progress (sequence, listener, finished, attempts, checksum)
            SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM inbound WHERE sequence = ?1)
            """
        case .selectProgress:
            "SELECT sequence, listener, finished, attempts, checksum FROM progress WHERE sequence = ?"
        case .deleteProgress: "DELETE FROM progress WHERE sequence BETWEEN ? AND ?"
        case .anyProgress: "SELECT 1 FROM progress LIMIT 1"
        case .everyProgress: "SELECT sequence, listener, finished, attempts, checksum FROM progress"
        case .insertSeen: "INSERT INTO seen (time, source, tag, event, checksum) VALUES (?,?,?,?,?)"
        case .everySeen: "SELECT time, source, tag, event, checksum FROM seen ORDER BY id"
        case .seenRange: "SELECT (SELECT min(id) FROM seen), (SELECT max(id) FROM seen)"
        case .seenFrom: "SELECT id FROM seen WHERE time >= ? ORDER BY id LIMIT 1"
        case .deleteSeen: "DELETE FROM seen WHERE id <= ?"
        case .insertName: "INSERT INTO names (id, name, checksum) VALUES (?,?,?)"
        case .selectName: "SELECT id, name, checksum FROM names WHERE id = ?"
        case .everyName: "SELECT id, name, checksum FROM names"
        case .findName: "SELECT id FROM names WHERE name = ?"
        case .lastName: "SELECT coalesce(max(id), 0) FROM names"
        case .insertEnvelope: "INSERT INTO envelopes (\(Self.envelope)) VALUES (?,?,?,?,?,?)"
        case .selectEnvelope: "SELECT \(Self.envelope) FROM envelopes WHERE id = ?"
        case .everyEnvelope: "SELECT \(Self.envelope) FROM envelopes"
        case .findEnvelope:
            "SELECT id FROM envelopes WHERE generation = ? AND route = ? AND broker = ? AND listeners = ?"
        case .lastEnvelope: "SELECT coalesce(max(id), 0) FROM envelopes"
        case .insertState: "INSERT OR REPLACE INTO state (name, value, checksum) VALUES (?,?,?)"
        case .everyState: "SELECT name, value, checksum FROM state"
        case .selectState: "SELECT name, value, checksum FROM state WHERE name = ?"
        case .insertLetter: "INSERT INTO letters (\(Self.letter)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        case .everyLetter: "SELECT \(Self.letter) FROM letters"
        case .deleteLetter: "DELETE FROM letters WHERE number = ?"
        case .trimLetters:
            "DELETE FROM letters WHERE number <= (SELECT number FROM letters ORDER BY number DESC LIMIT 1 OFFSET ?)"
        case .countLetters: "SELECT count(*) FROM letters"
        case .oldestInbound: "SELECT \(Self.inboundRemoval) FROM inbound WHERE sequence >= ? ORDER BY sequence"
        case .oldestOutbound: "SELECT \(Self.outboundRemoval) FROM outbound WHERE sequence >= ? ORDER BY sequence"
        case .expiredInbound: "SELECT \(Self.inboundRemoval) FROM inbound WHERE expires < ?"
        case .expiredOutbound: "SELECT \(Self.outboundRemoval) FROM outbound WHERE expires < ?"
        case .lastInbound: "SELECT coalesce(max(sequence), 0) FROM inbound"
        case .lastOutbound: "SELECT coalesce(max(sequence), 0) FROM outbound"
        case .inboundLoads: "SELECT envelope, \(Self.load) FROM inbound GROUP BY envelope"
        case .outboundLoads: "SELECT route, \(Self.load) FROM outbound GROUP BY route"
        }
    }

    /// Those that read whole rows of each table, with their checksums.
    static let everyRow: [Query] = [
        .everyName, .everyEnvelope, .everyState, .everyInbound, .everyOutbound, .everyProgress, .everySeen,
        .everyLetter,
    ]
}

import MessageStore

/// The legible fields of damaged messages.
extension Session {
    func remains(of row: StoreRow) throws -> DeadLetter {
        var letter = DeadLetter(of: row)
        let isInbound = row.direction == .inbound
        let statement = try statement(isInbound ? .oneInbound : .oneOutbound)
        statement.bind(row.sequence)
        _ = try statement.first { try isInbound ? readInbound(statement, &letter) : readOutbound(statement, &letter) }
        return letter
    }

    private func readInbound(_ statement: PreparedStatement, _ letter: inout DeadLetter) throws {
        if let envelope = try legible({ try envelope(statement.integer(1)) }) {
            (letter.route, letter.broker) = (envelope.route, envelope.broker)
        }
        letter.time = statement.integer(3)
        letter.payloadSize = statement.size(6)
        _ = try legible {
            try statement.head(5) { head in
                letter.topic = try head.next()
                letter.event = try head.next()
                letter.source = try head.next()
                letter.tag = try head.next()
                letter.details = try head.next()
            }
        }
    }

    private func readOutbound(_ statement: PreparedStatement, _ letter: inout DeadLetter) throws {
        letter.route = try legible { try name(statement.integer(1)) } ?? ""
        letter.broker = try legible { try name(statement.integer(2)) } ?? ""
        letter.qos = UInt8(truncatingIfNeeded: statement.integer(4))
        letter.isRetained = statement.integer(5) != 0
        letter.time = statement.integer(6)
        letter.topic = statement.text(8)
        letter.event = statement.text(9)
        letter.source = statement.text(10)
        letter.tag = statement.text(11)
        letter.details = statement.text(12)
        letter.payloadSize = statement.size(13)
    }

    /// Returns the result of `body`; nil if it reads damaged data.
    func legible<Value>(_ body: () throws -> Value) throws -> Value? {
        do {
            return try body()
        } catch is StoreDamage {
            return nil
        }
    }
}

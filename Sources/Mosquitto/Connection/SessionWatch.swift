/// Whether the broker keeps the session as agreed. Pure.
struct SessionWatch: Sendable {
    enum Finding: Sendable {
        /// The session is present, or was not expected.
        case asExpected
        /// The broker has lost the session and the messages queued in it.
        case lost
        /// The session is missing again and was never present, though the broker was not away: this broker keeps no
        /// sessions.
        case keepsNone
    }

    private let isWanted: Bool
    private var isExpected: Bool
    private var wasPresent = false
    private var losses = 0

    /// - Parameters:
    ///   - isWanted: Whether the client asks the broker to keep the session.
    ///   - isExpected: Whether an earlier run has left a session.
    init(isWanted: Bool, isExpected: Bool) {
        self.isWanted = isWanted
        self.isExpected = isWanted && isExpected
    }

    /// The broker accepted the connection.
    mutating func connected(isPresent: Bool) -> Finding {
        guard isWanted else { return .asExpected }
        guard isExpected, !isPresent else {
            isExpected = true
            if isPresent { (wasPresent, losses) = (true, 0) }
            return .asExpected
        }
        losses += 1
        switch losses {
        case 1: return .lost
        case 2 where !wasPresent: return .keepsNone
        default: return wasPresent ? .lost : .asExpected
        }
    }

    /// The broker was away: it may have lost the session in a restart, and still keep sessions.
    mutating func brokerWasAway() { losses = 0 }
}

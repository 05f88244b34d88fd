public import MessageStore

extension SQLiteStore {
    /// Returns the messages and bytes of each broker, route and listener, in no particular order. Reads no payload.
    public func shares() throws(StoreError) -> [StoreShare] {
        try perform("read the shares of the store \(path)") { session in
            try session.snapshot { try session.shares() }
        }
    }

    /// Permanently removes the messages of a broker or route, or the pending deliveries to a listener. Dead letters
    /// stay.
    ///
    /// A message that also waits for other listeners stays for them. Only for an owner without a bridge: a bridge would
    /// still deliver the messages that it holds in memory. One transaction removes at most 1,000 messages and some 32
    /// MiB.
    ///
    /// - Returns: The number of messages.
    /// - Throws: `.notPermitted` if this process is not the owner; errors of the medium. Earlier transactions of the
    ///   call persist after an error.
    public func drop(_ owner: StoreShare.Owner) throws(StoreError) -> Int {
        let operation = "drop messages of the store \(path)"
        guard isOwner else {
            throw StoreError(.notPermitted, operation: operation, detail: "it was not opened as its only owner")
        }
        var cursor = Session.DropCursor()
        var dropped = 0
        while !cursor.isAtEnd {
            // The transaction may be retried, so it changes the cursor only through its result.
            let slice = try perform(operation) { [cursor] session in
                try session.transaction { try session.dropSlice(of: owner, at: cursor) }
            }
            dropped += slice.dropped
            cursor = slice.next
        }
        return dropped
    }
}

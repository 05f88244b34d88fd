/// Keeps messages that a crash must not lose until their delivery is complete.
///
/// One bridge uses a store at a time. Calls may come from any thread, run one after the other, and block for as long as
/// the medium takes. A call that throws changes nothing and may be repeated.
///
/// Times are nanoseconds since 1970 on a time line that the bridge chooses. The store only compares them.
public protocol MessageStore: Sendable {
    /// Takes stock of the messages that earlier processes left.
    ///
    /// Adds one recovery to each inbound message if the last process did not shut down cleanly: it committed
    /// ``StoreBatch/Life/began`` but not ``StoreBatch/Life/ended``.
    ///
    /// The bridge calls it once, before any change.
    func recover() throws(StoreError) -> StoreInventory

    /// Applies all changes of a batch, or none.
    ///
    /// When it returns, the changes survive the end of the process. In the synchronous mode of a file store they also
    /// survive a power cut. On a full medium a store makes every effort to commit a batch that only removes, since
    /// nothing else frees space.
    ///
    /// The removal of a missing message is no error, so a change may be repeated.
    ///
    /// - Returns: The messages and dead letters that the evictions of the batch removed.
    @discardableResult
    func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval]

    /// Inbound messages with a sequence above `sequence`, in ascending order.
    ///
    /// - Parameters:
    ///   - sequence: The sequence before the first message; 0 for all.
    ///   - limit: The largest number of messages.
    ///   - bytes: The largest sum of payload sizes; the first message may exceed it.
    /// - Throws: `.damaged` with the ``StoreError/row`` if the first message is damaged. A later damaged message only
    ///   ends the page.
    func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry]

    /// Outbound messages for a broker with a sequence above `sequence`; order, limits and errors as for
    /// ``inbound(after:limit:bytes:)``.
    func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]

    /// The legible fields of a damaged message, as a dead letter without a payload. Illegible fields are empty or 0.
    func remains(of row: StoreRow) throws(StoreError) -> DeadLetter

    /// The distinct topics of the outbound messages for a broker: at most `limit`, in no particular order.
    func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String]

    /// Dead letters in the order of their numbers: at most `limit`, and at most 8 MiB of payload. The first letter may
    /// exceed 8 MiB.
    func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter]

    /// Requests a replay of dead letters from the bridge that uses the store, in this process or another.
    ///
    /// The letters stay in the store until the bridge accepts them. Letters without a payload or without an event name
    /// cannot be replayed and are skipped.
    ///
    /// - Returns: The number of letters with a request.
    func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int

    /// Removes dead letters. Returns their number.
    func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int

    /// The text stored under a name. If there is none, `initial` is stored and returned.
    func text(named name: String, initial: String) throws(StoreError) -> String

    /// Stores a text under a name and replaces an earlier text.
    func setText(_ text: String, named name: String) throws(StoreError)

    /// The current counts and sizes.
    func status() throws(StoreError) -> StoreStatus

    /// Does deferred work, for some 50 ms at a time. The bridge calls it about once a second.
    func tidy() throws(StoreError)

    /// Releases the medium. Committed changes stay. No call may follow.
    func close()
}

extension MessageStore {
    /// Does nothing: for stores without deferred work.
    public func tidy() throws(StoreError) {}

    /// A letter with empty fields: for stores that cannot detect damage.
    public func remains(of row: StoreRow) throws(StoreError) -> DeadLetter {
        DeadLetter(of: row)
    }
}

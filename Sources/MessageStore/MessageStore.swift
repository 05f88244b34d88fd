/// Keeps messages until they are done with: what a crash must not lose.
///
/// A store is used by one bridge at a time. Its calls may block for as long as the medium takes; they may come from any
/// thread, and are carried out one after the other. After an error the store is as it was before the call, and the same
/// call may be tried again.
///
/// Times are nanoseconds since 1970 on a time line that the bridge chooses; the store compares them and nothing else.
public protocol MessageStore: Sendable {
    /// Looks at what an earlier process has left, and counts one more recovery for each inbound message.
    ///
    /// Called once, before anything else is changed.
    func recover() throws(StoreError) -> StoreInventory

    /// Applies all changes of a batch, or none. When it returns, they survive the end of the process, and, with the
    /// synchronous mode that a file store offers, the end of the machine's power.
    ///
    /// Removing what is not there is no error: a change may be given twice.
    ///
    /// - Returns: What the evictions of the batch removed.
    @discardableResult
    func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval]

    /// Inbound messages with a sequence above `sequence`, in order: at most `limit`, and no more than `bytes` of
    /// payload but for the first.
    func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry]

    /// Outbound messages for a broker with a sequence above `sequence`, in order, bounded as for
    /// ``inbound(after:limit:bytes:)``.
    func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]

    /// The different topics of the outbound messages for a broker: at most `limit`.
    func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String]

    /// Dead letters by number, in order.
    func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter]

    /// Asks the bridge that uses the store, in this process or another, to run these again. The letters stay until it
    /// has taken them up. Those without a payload cannot run again and are left out. Returns how many there are.
    func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int

    /// Removes dead letters. Returns how many there were.
    func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int

    /// A text kept under a name; `initial` is kept when there is none yet.
    func text(named name: String, initial: String) throws(StoreError) -> String

    /// Counts and sizes.
    func status() throws(StoreError) -> StoreStatus

    /// Releases the medium. Nothing else is called afterwards. What was committed stays.
    func close()
}

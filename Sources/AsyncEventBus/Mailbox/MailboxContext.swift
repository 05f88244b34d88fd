/// The parts of a bus that a mailbox needs.
struct MailboxContext: Sendable {
    let listener: Listener
    let clock: any Clock<Duration>
    let report: @Sendable (BusReport) -> Void

    /// Creates the mailbox that suits the listener: workers take chunks, unless the order of waiting elements depends
    /// on running ones.
    func makeMailbox() -> any Mailbox {
        listener.delivery.hasKeys || listener.retry.attempts > 1 ? KeyedMailbox(self) : ChunkedMailbox(self)
    }
}

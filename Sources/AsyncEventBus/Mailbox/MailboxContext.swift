/// The parts of a bus that a mailbox needs.
struct MailboxContext: Sendable {
    let listener: Listener
    let clock: any Clock<Duration>
    /// The workers of all mailboxes of the bus.
    let crew: Crew
    let report: @Sendable (BusReport) -> Void

    init(
        listener: Listener,
        clock: any Clock<Duration>,
        crew: Crew = Crew(),
        report: @escaping @Sendable (BusReport) -> Void
    ) {
        self.listener = listener
        self.clock = clock
        self.crew = crew
        self.report = report
    }

    /// Creates the mailbox that suits the listener: workers take chunks, unless the order of waiting elements depends
    /// on running ones.
    func makeMailbox() -> any Mailbox {
        listener.delivery.hasKeys || listener.retry.attempts > 1 ? KeyedMailbox(self) : ChunkedMailbox(self)
    }
}

/// The answers of a ``MailboxMachine``, which its caller carries out when the lock is released.
enum MailboxAction<Element: Sized> {
    /// What to do with an element that was offered.
    enum Offer: Sendable {
        /// It waits. Start a worker if asked to.
        case queued(startWorker: Bool)
        /// It waits in the place of another element, or of several if it is larger. They are discarded.
        case displaced(DisplacedElement<Element>, others: [DisplacedElement<Element>], startWorker: Bool)
        /// It is discarded itself: by the policy, or because all that waits was sent.
        case discarded
        /// The mailbox is closed.
        case closed
    }

    /// What to do with an element whose producer is ready to wait.
    enum Send: Sendable {
        /// It waits in the mailbox. Start a worker if asked to.
        case queued(startWorker: Bool)
        /// It waits outside; its token comes back when it is let in.
        case suspended
        /// The mailbox is closed.
        case closed
    }

    /// What closing sets free.
    struct Close: Sendable {
        var discarded: [Element]
        var rests: [UInt64]
        var producers: [UInt64]
        var isIdle: Bool
    }
}

/// The results of a ``MailboxMachine``, which its caller carries out after releasing the lock.
enum MailboxAction<Element: Sized> {
    /// The result for an element of a producer that does not wait.
    enum Offer: Sendable {
        /// It waits. Start a worker if asked.
        case queued(startWorker: Bool)
        /// It waits in place of another element, or of several if it is larger. Discard these.
        case displaced(DisplacedElement<Element>, others: [DisplacedElement<Element>], startWorker: Bool)
        /// Discard it: by the policy, or because all waiting elements were sent.
        case discarded
        /// The mailbox is closed.
        case closed
    }

    /// The result for an element of a producer that can wait.
    enum Send: Sendable {
        /// It waits in the mailbox. Start a worker if asked.
        case queued(startWorker: Bool)
        /// Its producer waits for room; the token is returned on admission.
        case suspended
        /// The mailbox is closed.
        case closed
    }

    /// The result of closing.
    struct Close: Sendable {
        var discarded: [Element]
        var rests: [UInt64]
        var producers: [UInt64]
        var isIdle: Bool
    }
}

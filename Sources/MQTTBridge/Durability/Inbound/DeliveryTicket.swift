import AsyncEventBus
import MessageStore

/// Tracks the delivery of one stored message to one mailbox.
final class DeliveryTicket: DeliveryTracker {
    /// The history of a message that an earlier process had. Separate, since most messages have none.
    final class Past: Sendable {
        /// The number of calls whose start was recorded, but not their end.
        let interruptions: Int
        /// The number of earlier attempts that do not count as failures: the recorded interruptions, or 1 for all
        /// crashes without a record.
        let uncounted: Int
        /// Whether to record each call before it begins.
        let marksStart: Bool

        /// Nil if no crash has happened since the message was stored.
        init?(_ entry: InboundEntry, _ progress: ListenerProgress) {
            guard entry.recoveries > 0 else { return nil }
            interruptions = progress.interruptions
            uncounted = max(1, progress.interruptions)
            marksStart = progress.interruptions > 0
        }
    }

    let sequence: Int64
    let size: Int
    let mailbox: DurableMailbox
    private let delivery: any TicketOwner
    private let past: Past?

    init(sequence: Int64, size: Int, mailbox: DurableMailbox, delivery: any TicketOwner, past: Past?) {
        self.sequence = sequence
        self.size = size
        self.mailbox = mailbox
        self.delivery = delivery
        self.past = past
    }

    var marksStart: Bool { past?.marksStart ?? false }

    var uncounted: Int { past?.uncounted ?? 0 }

    var owner: AnyObject { delivery }

    var isWithdrawn: Bool { delivery.isStopped }

    func willRun(attempt: Int) async {
        await delivery.recordStart(sequence, mailbox.name, progress(attempts: attempt - 1))
    }

    func attemptFailed(_ attempt: Int, error: String) {
        delivery.attemptFailed(sequence, mailbox.name, progress(attempts: attempt))
    }

    private func progress(attempts: Int) -> ListenerProgress {
        let interruptions = past?.interruptions ?? 0
        return ListenerProgress(isFinished: false, attempts: attempts - uncounted, interruptions: interruptions)
    }

    func ended(_ outcome: DeliveryOutcome) {
        var outcome = outcome
        if let past, case .failed(let error, let attempts) = outcome {
            outcome = .failed(error: error, attempts: attempts - past.uncounted)
        }
        delivery.ended(sequence, size: size, mailbox, outcome)
    }
}

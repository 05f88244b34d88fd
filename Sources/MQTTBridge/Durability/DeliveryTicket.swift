import AsyncEventBus

/// One message in one mailbox.
final class DeliveryTicket: DeliveryTracker {
    let sequence: Int64
    let size: Int
    let inbox: NamedInbox
    let deliveries: Deliveries
    let marksStart: Bool

    init(sequence: Int64, size: Int, inbox: NamedInbox, deliveries: Deliveries, marksStart: Bool) {
        self.sequence = sequence
        self.size = size
        self.inbox = inbox
        self.deliveries = deliveries
        self.marksStart = marksStart
    }

    func willRun(attempt: Int) async {
        await deliveries.noteStart(sequence, inbox.name, attempt: attempt)
    }

    func attemptFailed(_ attempt: Int, error: String) {
        deliveries.attemptFailed(sequence, inbox.name, attempts: attempt)
    }

    func ended(_ outcome: DeliveryOutcome) {
        deliveries.ended(sequence, size: size, inbox, outcome)
    }
}

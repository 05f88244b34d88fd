import AsyncEventBus
import MessageStore

/// The receiver of the progress that delivery tickets report.
protocol TicketOwner: AnyObject, Sendable {
    /// Whether no further call may begin.
    var isStopped: Bool { get }

    /// A call is about to begin; returns when that is recorded.
    func recordStart(_ sequence: Int64, _ listener: String, _ progress: ListenerProgress) async

    /// A call has failed, and the listener tries again.
    func attemptFailed(_ sequence: Int64, _ listener: String, _ progress: ListenerProgress)

    /// The delivery has ended.
    func ended(_ sequence: Int64, size: Int, _ mailbox: DurableMailbox, _ outcome: DeliveryOutcome)
}

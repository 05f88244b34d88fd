/// A transport that takes events out of the process.
///
/// Attached to a bus with ``EventBus/attach(_:to:)``. What it brings into the process it emits as events whose
/// ``EventOrigin/transport`` tells where they came from.
public protocol EventRelay: AnyObject, Sendable {
    /// Takes an event, or declines it.
    ///
    /// Called on the emitter's thread, in the order in which that thread emits: hand over and return, never block.
    /// Each delivery that is to be awaited is announced on `receipt` before this returns.
    func take(_ event: Event, receipt: Receipt?) -> RelayAnswer

    /// An event that was answered with ``RelayAnswer/full`` is given up: the emitter does not wait.
    func discarded(_ event: Event)

    /// Suspends until an event that was answered with ``RelayAnswer/full`` is worth another try.
    func waitForRoom(for event: Event) async throws
}

/// What a transport says to an event.
public enum RelayAnswer: Sendable, Hashable {
    /// It has it, and will deliver it.
    case taken
    /// There is no route for it, or it came from there.
    case declined
    /// There is no room now.
    case full
}

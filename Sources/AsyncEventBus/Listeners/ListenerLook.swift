/// A sample of the calls of one listener: two samples show whether the calls make progress.
package struct ListenerLook: Sendable {
    /// The progress of the calls. If equal in two samples, no call has begun in between, or none of the key that has
    /// waited longest.
    package enum Progress: Sendable {
        /// The number of claimed elements of a chunk, without displaced ones. Retains the chunk, so that no other chunk
        /// gets the same address.
        case claimed(Int, of: (any AnyObject & Sendable)?)
        /// The number of elements that were ever taken out to run, or ended a rest.
        case taken(UInt64)
        /// The number of the oldest element that waits for a call of its own key.
        case held(UInt64)
    }

    /// Identifies the mailbox as long as the mailbox lives.
    package let mailbox: ObjectIdentifier
    /// The name of the listener.
    package let name: String
    /// The number of waiting events, resting ones included.
    package let waiting: Int
    /// Whether events that do not rest wait for a call to end, or for a worker.
    package let isHeldUp: Bool
    /// Nil if no call runs.
    package let progress: Progress?
    /// The earliest moment at which a call that still runs exceeded its time limit.
    package let exceeded: ContinuousClock.Instant?

    package init(
        mailbox: ObjectIdentifier,
        name: String,
        waiting: Int,
        isHeldUp: Bool,
        progress: Progress?,
        exceeded: ContinuousClock.Instant?
    ) {
        self.mailbox = mailbox
        self.name = name
        self.waiting = waiting
        self.isHeldUp = isHeldUp
        self.progress = progress
        self.exceeded = exceeded
    }
}

extension ListenerLook.Progress: Equatable {
    package static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.claimed(let left, of: let chunk), .claimed(let right, of: let other)): left == right && chunk === other
        case (.taken(let left), .taken(let right)), (.held(let left), .held(let right)): left == right
        default: false
        }
    }
}

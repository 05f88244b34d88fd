/// What the calls of one listener are at, at one moment: for whoever looks from time to time whether they get on.
package struct ListenerLook: Sendable {
    /// Where the calls are. Equal at two moments: no call has begun in between, or none of the key that has waited longest.
    package enum Progress: Sendable {
        /// So many elements of a chunk are claimed, less those that were ever displaced. Refers to the chunk, so that no
        /// other comes to the same address.
        case claimed(Int, of: (any AnyObject & Sendable)?)
        /// So many elements were ever taken out to be run, or ended a rest.
        case taken(UInt64)
        /// The oldest element that waits for a call of its own key has this number.
        case held(UInt64)
    }

    /// Names the mailbox, as long as that lives.
    package let mailbox: ObjectIdentifier
    /// The name of the listener.
    package let name: String
    /// How many events wait, those that rest included.
    package let waiting: Int
    /// Whether events wait that do not rest: for a call to end, or for a worker.
    package let isHeldUp: Bool
    /// Nil if no call runs.
    package let progress: Progress?
    /// When the time limit of the first of the calls was over that have exceeded it and still run.
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

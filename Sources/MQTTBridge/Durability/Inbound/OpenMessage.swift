import AsyncEventBus
import MessageStore

/// A message that at least one mailbox has, and the listeners that have not finished it.
struct OpenMessage: Sendable {
    /// The effect of one more finished delivery.
    enum Settlement {
        /// All listeners have finished the message.
        case all
        /// This listener has finished, others have not.
        case one
        /// This mailbox has finished, another one of the same name has not.
        case unchanged
    }

    /// The names of unfinished listeners, each with its number of mailboxes.
    enum Waiting: Sendable {
        /// The common case, without an allocation.
        case one(String)
        case several([String: Int])

        init(_ mailboxes: [DurableMailbox]) {
            if mailboxes.count == 1 {
                self = .one(mailboxes[0].name)
            } else {
                self.init(mailboxes.reduce(into: [:]) { $0[$1.name, default: 0] += 1 })
            }
        }

        init(_ counts: [String: Int]) {
            if counts.count == 1, let only = counts.first, only.value == 1 {
                self = .one(only.key)
            } else {
                self = .several(counts)
            }
        }

        func contains(_ name: String) -> Bool {
            switch self {
            case .one(let only): only == name
            case .several(let counts): counts[name] != nil
            }
        }

        mutating func ended(_ name: String) -> Settlement {
            switch self {
            case .one(let only): return only == name ? .all : .one
            case .several(var counts):
                self = .several([:])
                let left = (counts[name] ?? 1) - 1
                counts[name] = left > 0 ? left : nil
                defer { self = .several(counts) }
                return counts.isEmpty ? .all : left > 0 ? .unchanged : .one
            }
        }
    }

    let record: InboundRecord
    var waiting: Waiting
    /// The number of mailboxes that have the message now.
    var running = 0
}

import AsyncEventBus
import MessageStore

/// A message that some mailbox has, and who has not finished with it.
struct OpenMessage: Sendable {
    /// What it means that one more call has ended.
    enum Settlement {
        /// All listeners have finished: the message is done with.
        case all
        /// That listener has, others have not.
        case one
        /// Another mailbox under that name has still to.
        case nobody
    }

    /// The names of listeners that have not finished, each with the number of mailboxes under it.
    enum Waiting: Sendable {
        /// Mostly there is one.
        case one(String)
        case several([String: Int])

        init(_ inboxes: [NamedInbox]) {
            if inboxes.count == 1 {
                self = .one(inboxes[0].name)
            } else {
                self.init(inboxes.reduce(into: [:]) { $0[$1.name, default: 0] += 1 })
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
                return counts.isEmpty ? .all : left > 0 ? .nobody : .one
            }
        }
    }

    let record: InboundRecord
    var waiting: Waiting
    /// Mailboxes that have it now.
    var running = 0
}

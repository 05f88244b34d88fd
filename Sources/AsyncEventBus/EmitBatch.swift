import Locking

/// Events that a transport brought in together: filled one by one, emitted as one, and filled again.
///
/// Holds what it is given; the owner bounds how many that are. Keeps its storage from one filling to the next.
package struct EmitBatch: Sendable {
    /// Events one after the other that the same receivers hear.
    private struct Run: Sendable {
        let destination: Destination
        let includesNamed: Bool
        /// As it is when the batch is emitted.
        var targets: Targets?
        /// The position behind its last event.
        var end: Int

        func isHeard(as other: Run) -> Bool { targets === other.targets && includesNamed == other.includesNamed }

        var inboxes: [any Inbox] { (includesNamed ? targets?.inboxes : targets?.unnamed) ?? [] }
    }

    /// The events, as mailboxes take them.
    private var parcels: [Parcel] = []
    private var runs: [Run] = []
    private var sorting = ParcelSorting()

    /// A batch without events.
    package init() {}

    /// How many events there are.
    package var count: Int { parcels.count }

    /// Whether there is no event.
    package var isEmpty: Bool { parcels.isEmpty }

    /// Adds an event behind the others.
    ///
    /// - Parameters:
    ///   - destination: Made by the bus that the batch is emitted on, for the name of the event.
    ///   - includesNamed: Whether named listeners hear it: not, if the transport offers it to them itself.
    package mutating func append(_ event: Event, to destination: Destination, includesNamed: Bool = true) {
        parcels.append(Parcel(event: event.attempt(1), receipt: nil))
        let last = runs.count - 1
        if last >= 0, runs[last].destination === destination, runs[last].includesNamed == includesNamed {
            runs[last].end += 1
        } else {
            runs.append(Run(destination: destination, includesNamed: includesNamed, end: parcels.count))
        }
    }

    /// Removes all events, and keeps the storage.
    package mutating func removeAll() {
        parcels.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
    }

    /// Finds out who hears the events now.
    mutating func resolve(in registry: borrowing Locked<Registry>) {
        registry.withLock { registry in
            for position in runs.indices {
                runs[position].targets = runs[position].destination.targets(in: &registry)
            }
        }
    }

    /// Offers each event to the transports that want it, in order; `refused` is called where there is no room.
    func offerToRelays(refused: (any EventRelay, Event) -> Void) {
        var start = 0
        for position in runs.indices {
            let (relays, end) = (runs[position].targets?.relays ?? [], runs[position].end)
            if !relays.isEmpty {
                for parcel in parcels[start..<end] {
                    for relay in relays where relay.take(parcel.event, receipt: nil) == .full {
                        refused(relay, parcel.event)
                    }
                }
            }
            start = end
        }
    }

    /// Offers each mailbox its events at once, in order.
    mutating func offerToInboxes() {
        guard let first = runs.first else { return }
        guard runs.contains(where: { !$0.isHeard(as: first) }) else {
            for inbox in first.inboxes { inbox.offer(contentsOf: parcels) }
            return
        }
        var start = 0
        for run in runs {
            if let targets = run.targets {
                for position in start..<run.end {
                    sorting.add(parcels[position], targets, includesNamed: run.includesNamed)
                }
            }
            start = run.end
        }
        sorting.offerAll()
    }
}

/// Sorts the events of a batch by inbox, so that each inbox takes all of its events at once. Pure.
struct ParcelSorting: Sendable {
    private struct Audience: Hashable {
        let targets: ObjectIdentifier
        let includesNamed: Bool
    }

    /// The inboxes of the batch in the order in which they first occur, and what goes there.
    private var slots: [(inbox: any Inbox, parcels: [Parcel])] = []
    private var slotOfInbox: [ObjectIdentifier: Int] = [:]
    private var slotsOfAudience: [Audience: [Int]] = [:]
    private var latest: (audience: Audience, slots: [Int])?
    /// Arrays of parcels that are empty, to be filled again.
    private var spare: [[Parcel]] = []

    /// Adds a parcel behind those that its inboxes have got so far.
    mutating func add(_ parcel: Parcel, _ targets: Targets, includesNamed: Bool) {
        let audience = Audience(targets: ObjectIdentifier(targets), includesNamed: includesNamed)
        if latest?.audience != audience { latest = (audience, slots(audience, targets)) }
        for slot in latest?.slots ?? [] { slots[slot].parcels.append(parcel) }
    }

    /// Hands each inbox its parcels, and forgets them.
    mutating func offerAll() {
        for position in slots.indices where !slots[position].inbox.isImmediate { offer(position) }
        // Others have all of the batch before these react to any of it.
        for position in slots.indices where slots[position].inbox.isImmediate { offer(position) }
        slots.removeAll(keepingCapacity: true)
        slotOfInbox.removeAll(keepingCapacity: true)
        slotsOfAudience.removeAll(keepingCapacity: true)
        latest = nil
    }

    private mutating func offer(_ position: Int) {
        slots[position].inbox.offer(contentsOf: slots[position].parcels)
        slots[position].parcels.removeAll(keepingCapacity: true)
        if spare.count < Self.spareLimit { spare.append(slots[position].parcels) }
    }

    /// How many arrays are kept for the next batch.
    private static let spareLimit = 64

    private mutating func slots(_ audience: Audience, _ targets: Targets) -> [Int] {
        if let known = slotsOfAudience[audience] { return known }
        var found: [Int] = []
        for inbox in audience.includesNamed ? targets.inboxes : targets.unnamed {
            if let known = slotOfInbox[ObjectIdentifier(inbox)] {
                found.append(known)
            } else {
                found.append(slots.count)
                slotOfInbox[ObjectIdentifier(inbox)] = slots.count
                slots.append((inbox, spare.popLast() ?? []))
            }
        }
        slotsOfAudience[audience] = found
        return found
    }
}

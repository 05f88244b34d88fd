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

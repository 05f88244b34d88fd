/// Sorts the events of a batch by sink, so that each sink takes all of its events at once. Pure.
struct DeliverySorting: Sendable {
    private struct Group: Hashable {
        let receivers: ObjectIdentifier
        let includesDurable: Bool
    }

    /// The sinks of the batch in the order of their first occurrence, with their deliveries.
    private var slots: [(sink: any EventSink, deliveries: [PendingDelivery])] = []
    private var slotOfSink: [ObjectIdentifier: Int] = [:]
    private var slotsOfGroup: [Group: [Int]] = [:]
    private var latest: (group: Group, slots: [Int])?
    /// Empty arrays for reuse.
    private var spare: [[PendingDelivery]] = []

    /// Appends a delivery for each of its sinks.
    mutating func add(_ delivery: PendingDelivery, _ receivers: Receivers, includesDurable: Bool) {
        let group = Group(receivers: ObjectIdentifier(receivers), includesDurable: includesDurable)
        if latest?.group != group { latest = (group, slots(group, receivers)) }
        for slot in latest?.slots ?? [] { slots[slot].deliveries.append(delivery) }
    }

    /// Offers each sink its deliveries, and removes them.
    mutating func offerAll() {
        for position in slots.indices where !slots[position].sink.isImmediate { offer(position) }
        // Other sinks have the whole batch before immediate sinks react to any of it.
        for position in slots.indices where slots[position].sink.isImmediate { offer(position) }
        slots.removeAll(keepingCapacity: true)
        slotOfSink.removeAll(keepingCapacity: true)
        slotsOfGroup.removeAll(keepingCapacity: true)
        latest = nil
    }

    private mutating func offer(_ position: Int) {
        slots[position].sink.offer(contentsOf: slots[position].deliveries)
        slots[position].deliveries.removeAll(keepingCapacity: true)
        if spare.count < Self.spareLimit { spare.append(slots[position].deliveries) }
    }

    /// The most arrays to keep for the next batch.
    private static let spareLimit = 64

    private mutating func slots(_ group: Group, _ receivers: Receivers) -> [Int] {
        if let known = slotsOfGroup[group] { return known }
        var found: [Int] = []
        for sink in group.includesDurable ? receivers.sinks : receivers.others {
            if let known = slotOfSink[ObjectIdentifier(sink)] {
                found.append(known)
            } else {
                found.append(slots.count)
                slotOfSink[ObjectIdentifier(sink)] = slots.count
                slots.append((sink, spare.popLast() ?? []))
            }
        }
        slotsOfGroup[group] = found
        return found
    }
}

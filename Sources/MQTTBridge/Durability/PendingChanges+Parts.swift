import MessageStore

/// Splits changes into parts, to commit them separately when the medium is full: first those that free space, then
/// those that fit.
extension PendingChanges {
    /// The maximum number and bytes of emits in one part; a single emit may be larger. The small one fits into the log
    /// on a small medium.
    private static let slices = (small: (count: 16, bytes: 32 * 1024), large: (count: 256, bytes: 1024 * 1024))

    /// The maximum number of removals in one part: each may change a page of its own, and the log on a small medium has
    /// room for few.
    static let removals = (small: 16, large: 128)

    /// Whether ``takeRemovals(limit:)`` would take anything.
    var hasRemovals: Bool {
        !evictions.isEmpty || !evictionScopes.isEmpty || life != nil || !waiters.isEmpty
            || finished.contains { !isDeadLetter($0.sequence) } || published.contains { !isDeadLetter($0.sequence) }
            || progress.contains { !isDeadLetter($0.sequence) }
    }

    /// Takes removals, and small changes such as progress of listeners and the life of the process. `limit` applies to
    /// each kind; the first ones are taken.
    mutating func takeRemovals(limit: Int = .max) -> PendingChanges {
        var part = PendingChanges()
        // As in ``batch(from:)``, since the removal of the message may be in an earlier part.
        let done = Set(finished.map(\.sequence))
        if !progress.isEmpty { progress = progress.filter { isDeadLetter($0.sequence) || !done.contains($0.sequence) } }
        (part.finished, finished) = parted(finished, limit) { $0.sequence }
        (part.published, published) = parted(published, limit) { $0.sequence }
        (part.progress, progress) = parted(progress, limit) { $0.sequence }
        part.evictions = evictions
        part.evictionScopes = evictionScopes
        part.life = life
        part.waiters = waiters
        life = nil
        (evictions, evictionScopes, waiters) = ([], [], [])
        return part
    }

    /// The first changes of messages that do not become dead letters, and the other changes.
    private func parted<Change>(_ all: [Change], _ limit: Int, _ sequence: (Change) -> Int64) -> ([Change], [Change]) {
        var (taken, rest): ([Change], [Change]) = ([], [])
        for change in all {
            if taken.count < limit, !isDeadLetter(sequence(change)) {
                taken.append(change)
            } else {
                rest.append(change)
            }
        }
        return (taken, rest)
    }

    /// Takes the dead letters together with the removal of their messages.
    mutating func takeDeadLetters() -> PendingChanges {
        var part = self
        part.clearAllButDeadLetters()
        clearDeadLetters()
        return part
    }

    mutating func takeReads() -> Reads {
        defer { reads = Reads() }
        return reads
    }

    /// Takes the first emits, and all identities.
    mutating func takeSlice(isSmall: Bool = false) -> PendingChanges {
        let limit = isSmall ? Self.slices.small : Self.slices.large
        var part = PendingChanges()
        (part.seen, seen) = (seen, [])
        var rest = PendingChanges()
        for departure in departures {
            let fits = part.departures.count < limit.count && part.bytes + departure.record.size <= limit.bytes
            if rest.departures.isEmpty, fits || part.departures.isEmpty {
                part.add(departure)
            } else {
                rest.add(departure)
            }
        }
        replaceDepartures(by: rest)
        return part
    }
}

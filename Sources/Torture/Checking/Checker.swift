/// Counts what was lost, doubled and reordered, from a ledger of what was sent and a list of what was seen.
///
/// Nothing is made unique on the way in: each sighting counts. The identity by which a double is found is that of the
/// test itself, which stands in the payload; the bridge's own id is only what a double must be *recognisable* by.
package struct Checker: Sendable {
    /// Which way the messages go, and so what makes a double recognisable.
    package enum Direction: Sendable {
        /// From the broker to a listener. A double is recognised when it has the id of the first sighting, says that it
        /// is a further attempt, and comes from another life of the daemon than every sighting before: within one life
        /// nothing is delivered twice.
        case inbound
        /// From the daemon to the broker. A double is recognised when it has the id of the first sighting.
        case outbound
    }

    /// One message as it was seen.
    package struct Sighting: Sendable {
        /// What the payload says; nil for a payload that was never sent.
        package var testMessage: TestMessage?
        /// The id that the bridge gave it; nil for none.
        package var identity: String?
        /// Which attempt the bridge says this is, from 1.
        package var attempt = 1
        /// Which life of the daemon showed it, from 1.
        package var life = 1

        /// A sighting.
        package init(_ testMessage: TestMessage?, identity: String?, attempt: Int = 1, life: Int = 1) {
            self.testMessage = testMessage
            self.identity = identity
            self.attempt = attempt
            self.life = life
        }
    }

    private struct Entry {
        var isPromised = false
        var sightings = 0
        var identity: String?
        var lastLife = 0
    }

    /// Whether copies come of a store that the test has put back: its messages were never tried, as far as it knows, and only
    /// their identities tell.
    package var hasRestoredCopies = false

    private let direction: Direction
    private var keys: [[Entry]]
    private var highestSeen: [Int]

    /// How many messages the ledger has.
    package private(set) var sent = 0
    /// How many somebody has promised not to lose.
    package private(set) var promised = 0
    /// How many of those were not seen yet: in the end, the lost ones.
    package private(set) var missing = 0
    /// How many sightings there were after the first one of their message.
    package private(set) var doubled = 0
    /// How many of those a receiver could not have told from a new message.
    package private(set) var unrecognised = 0
    /// How many first sightings came after that of a later message of the same key.
    package private(set) var reordered = 0
    /// How many sightings there were of what was never sent: a payload that is damaged, or somebody else's.
    package private(set) var strange = 0
    /// How many sightings there were in all.
    package private(set) var sightings = 0

    /// An empty ledger.
    package init(_ direction: Direction, keys: Int) {
        self.direction = direction
        self.keys = Array(repeating: [], count: keys)
        highestSeen = Array(repeating: -1, count: keys)
    }

    /// Writes the next message of a key into the ledger: to be called before it is published.
    package mutating func next(key: Int) -> TestMessage {
        let testMessage = TestMessage(key: key, number: keys[key].count)
        keys[key].append(Entry())
        sent += 1
        return testMessage
    }

    /// Somebody has taken the message on: from now on it must arrive.
    package mutating func promise(_ testMessage: TestMessage) {
        guard keys[testMessage.key].indices.contains(testMessage.number),
            !keys[testMessage.key][testMessage.number].isPromised
        else {
            return
        }
        keys[testMessage.key][testMessage.number].isPromised = true
        promised += 1
        if keys[testMessage.key][testMessage.number].sightings == 0 { missing += 1 }
    }

    /// Somebody has seen a message.
    package mutating func saw(_ sighting: Sighting) {
        sightings += 1
        guard let testMessage = sighting.testMessage, keys.indices.contains(testMessage.key),
            keys[testMessage.key].indices.contains(testMessage.number)
        else {
            strange += 1
            return
        }
        let entry = keys[testMessage.key][testMessage.number]
        if entry.sightings == 0 {
            sawFirst(testMessage, sighting.identity, wasPromised: entry.isPromised)
        } else {
            doubled += 1
            if !isRecognised(sighting, after: entry) { unrecognised += 1 }
        }
        keys[testMessage.key][testMessage.number].sightings += 1
        keys[testMessage.key][testMessage.number].lastLife = max(entry.lastLife, sighting.life)
    }

    private mutating func sawFirst(_ testMessage: TestMessage, _ identity: String?, wasPromised: Bool) {
        keys[testMessage.key][testMessage.number].identity = identity
        if wasPromised { missing -= 1 }
        if testMessage.number < highestSeen[testMessage.key] { reordered += 1 }
        highestSeen[testMessage.key] = max(highestSeen[testMessage.key], testMessage.number)
    }

    private func isRecognised(_ sighting: Sighting, after first: Entry) -> Bool {
        guard let identity = sighting.identity, identity == first.identity else { return false }
        return switch direction {
        case .inbound: sighting.life > first.lastLife && (sighting.attempt > 1 || hasRestoredCopies)
        case .outbound: true
        }
    }

    /// A few of the messages that are missing, for people who look for the reason.
    package func missingParcels(atMost limit: Int) -> [TestMessage] {
        var found: [TestMessage] = []
        for (key, entries) in keys.enumerated() {
            for (number, entry) in entries.enumerated() where entry.isPromised && entry.sightings == 0 {
                if found.count == limit { return found }
                found.append(TestMessage(key: key, number: number))
            }
        }
        return found
    }
}

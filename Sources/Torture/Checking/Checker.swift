/// Counts lost, doubled and reordered messages from a ledger of sent messages and their sightings.
///
/// Sightings are not deduplicated. The checker finds doubles by the test's own identity in the payload; the bridge's id
/// only decides whether a receiver could *recognise* them.
package struct Checker: Sendable {
    /// The direction of the messages, which determines whether a double is recognised.
    package enum Direction: Sendable {
        /// From the broker to a listener. A double is recognised if it has the id of the first sighting, is marked as a
        /// further attempt, and comes from a later life of the daemon than all earlier sightings: within one life nothing
        /// is delivered twice.
        case inbound
        /// From the daemon to the broker. A double is recognised if it has the id of the first sighting.
        case outbound
    }

    /// One sighting of a message.
    package struct Sighting: Sendable {
        /// The message in the payload; nil for a payload that was never sent.
        package var testMessage: TestMessage?
        /// The id that the bridge assigned; nil for none.
        package var identity: String?
        /// The attempt that the bridge reports, from 1.
        package var attempt = 1
        /// The life of the daemon that delivered it, from 1.
        package var life = 1

        /// Creates a sighting.
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

    /// Whether the test has restored a copy of the store. Its messages count as never attempted, so that only their ids
    /// identify doubles.
    package var hasRestoredCopies = false

    private let direction: Direction
    private var keys: [[Entry]]
    private var highestSeen: [Int]

    /// The number of messages in the ledger.
    package private(set) var sent = 0
    /// The number of promised messages, which must not be lost.
    package private(set) var promised = 0
    /// The number of promised messages without a sighting: at the end, the lost messages.
    package private(set) var missing = 0
    /// The number of sightings after the first one of a message.
    package private(set) var doubled = 0
    /// The number of doubles that a receiver could not distinguish from new messages.
    package private(set) var unrecognised = 0
    /// The number of first sightings after the sighting of a later message of the same key.
    package private(set) var reordered = 0
    /// The number of sightings of payloads that were never sent: damaged or foreign ones.
    package private(set) var strange = 0
    /// The total number of sightings.
    package private(set) var sightings = 0

    /// Creates a checker with an empty ledger.
    package init(_ direction: Direction, keys: Int) {
        self.direction = direction
        self.keys = Array(repeating: [], count: keys)
        highestSeen = Array(repeating: -1, count: keys)
    }

    /// Adds the next message of a key to the ledger. Call it before the message is published.
    package mutating func next(key: Int) -> TestMessage {
        let testMessage = TestMessage(key: key, number: keys[key].count)
        keys[key].append(Entry())
        sent += 1
        return testMessage
    }

    /// Records that a message was accepted: from now on it must arrive.
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

    /// Records a sighting.
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

    /// Returns at most `limit` missing messages, for diagnosis.
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

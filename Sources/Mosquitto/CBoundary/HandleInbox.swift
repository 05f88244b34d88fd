/// What the callbacks of a handle have brought since it was last emptied.
///
/// libmosquitto holds a lock while it calls back, and the properties that it passes die with the call: a callback
/// copies what it got in here and returns. Whoever called into the library looks here afterwards.
@safe final class HandleInbox {
    struct Connack {
        let reason: ReasonCode
        let sessionPresent: Bool
        var receiveMaximum: UInt16?
        var maximumPacketSize: UInt32?
        var maximumQoS: UInt8?
        var retainAvailable = true
        var wildcardsAvailable = true
        var reasonText: String?
    }

    var connack: Connack?
    /// Payloads above this size are not copied, in bytes.
    var largestPayload = Int.max
    /// How many messages there are.
    var messageCount: Int { unsafe messages.pointee.count }
    /// The size of their payloads.
    private(set) var payloadBytes = 0
    let topics = TopicCache()
    /// Acknowledged or, at QoS 0, written: packet identifier and reason.
    var completed: [(packetID: Int32, reason: ReasonCode)] = []
    var subacks: [(packetID: Int32, reasons: [ReasonCode])] = []
    var unsubacks: [Int32] = []
    /// The reason in a DISCONNECT that the broker sent (MQTT 5).
    var disconnectReason: ReasonCode?
    /// What the library said went wrong, while a connection is being made.
    var complaints: [String] = []

    /// Grows with everything that arrives: tells a read that did something from one that found nothing.
    private(set) var progress: UInt64 = 0

    func didProgress() { progress &+= 1 }

    // SAFETY: touched by the thread of the handle alone, which is in none of these functions when it calls another; a
    // property would be checked for that with each message.
    private let messages: UnsafeMutablePointer<[Message]>

    init() {
        unsafe messages = .allocate(capacity: 1)
        unsafe messages.initialize(to: [])
    }

    deinit {
        unsafe messages.deinitialize(count: 1)
        unsafe messages.deallocate()
    }

    func add(_ message: consuming Message) {
        payloadBytes &+= message.payload.count
        unsafe messages.pointee.append(message)
    }

    /// Hands over the messages.
    func takeMessages() -> [Message] {
        var taken: [Message] = []
        // As many will come again, perhaps.
        taken.reserveCapacity(messageCount)
        unsafe swap(&taken, &messages.pointee)
        payloadBytes = 0
        return taken
    }
}

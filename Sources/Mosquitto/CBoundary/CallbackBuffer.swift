/// The results of a handle's callbacks since they were last taken.
///
/// libmosquitto holds a lock during a callback, and frees the properties after it: a callback copies its arguments here
/// and returns. The caller of the library reads them afterwards.
@safe final class CallbackBuffer {
    struct Connack {
        let reason: ReasonCode
        let sessionPresent: Bool
        var receiveMaximum: UInt16?
        var maximumPacketSize: UInt32?
        var maximumQoS: UInt8?
        var retainAvailable = true
        var wildcardsAvailable = true
        var subscriptionIdentifiersAvailable = true
        var reasonText: String?
    }

    var connack: Connack?
    /// Payload and user properties above this size, in bytes, are omitted.
    var largestPayload = Int.max
    var messageCount: Int { unsafe messages.pointee.count }
    /// Whether all messages have the retain flag.
    var holdsReplaysOnly: Bool { unsafe messages.pointee.allSatisfy(\.isRetained) }
    /// The total size of the payloads, in bytes.
    private(set) var payloadBytes = 0
    let topics = TopicCache()
    /// A publish that is acknowledged or, at QoS 0, written.
    struct Completed {
        let packetID: Int32
        let reason: ReasonCode
        /// The number of messages in this buffer that arrived before it.
        let position: Int
    }

    var completed: [Completed] = []
    var subacks: [(packetID: Int32, reasons: [ReasonCode])] = []
    var unsubacks: [Int32] = []
    /// The reason code of the broker's DISCONNECT (MQTT 5).
    var disconnectReason: ReasonCode?
    /// The library's error log while a connection is being made; at most 8 lines.
    var complaints: [String] = []

    /// Counts all arrivals: distinguishes a read that made progress from an empty one.
    private(set) var progress: UInt64 = 0

    func didProgress() { progress &+= 1 }

    // SAFETY: only the thread of the handle uses it, and never while another of these functions runs. A stored array
    // would be checked for exclusive access per message.
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

    func takeMessages() -> [Message] {
        var taken: [Message] = []
        // Expects a similar number of messages next time.
        taken.reserveCapacity(messageCount)
        unsafe swap(&taken, &messages.pointee)
        payloadBytes = 0
        return taken
    }
}

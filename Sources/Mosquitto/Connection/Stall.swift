/// An overdue answer.
public struct Stall: Sendable, Hashable {
    /// A step in the life of a connection or a message that waits for a peer.
    public enum Hop: Int, Sendable, Hashable, CaseIterable {
        /// The name service resolves the broker's host name.
        case nameLookup
        /// The broker's host accepts the TCP connection, and the TLS handshake succeeds.
        case connect
        /// The broker answers CONNECT with CONNACK.
        case connack
        /// The peer accepts the bytes to be written.
        case write
        /// The broker answers SUBSCRIBE with SUBACK.
        case suback
        /// The broker answers UNSUBSCRIBE with UNSUBACK.
        case unsuback
        /// The broker acknowledges PUBLISH at QoS 1 or 2: PUBACK, or PUBREC and PUBCOMP.
        case puback
        /// The broker answers PINGREQ with PINGRESP.
        case pingresp
    }

    /// The step that waits.
    public let hop: Hop
    /// How long the oldest answer of this kind has been owed, or how long the step has made no progress.
    public let age: Duration
    /// The number of outbound messages at that time, queued and in flight.
    public let waiting: Int
}

extension Stall.Hop: CustomStringConvertible {
    /// The name of the answer: `PUBACK`, `name look-up`.
    public var description: String {
        switch self {
        case .nameLookup: "name look-up"
        case .connect: "connection"
        case .connack: "CONNACK"
        case .write: "write"
        case .suback: "SUBACK"
        case .unsuback: "UNSUBACK"
        case .puback: "PUBACK"
        case .pingresp: "PINGRESP"
        }
    }
}

extension Stall: CustomStringConvertible {
    /// One line for users: `no PUBACK for 4 s, 100 message(s) wait`.
    public var description: String {
        let subject =
            switch hop {
            case .write: "the peer takes no bytes"
            default: "no \(hop)"
            }
        return "\(subject) for \(age.components.seconds) s, \(waiting) message(s) wait"
    }
}

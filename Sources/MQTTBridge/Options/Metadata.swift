/// The metadata sent with a payload, by which other bridges recognise an event.
public enum Metadata: String, Sendable, Hashable, CaseIterable {
    /// ``minimal`` in MQTT 5, ``none`` in 3.1.1.
    case automatic
    /// The user properties `bridgeid` (`SOURCE/TAG`), where the source is the bus that the event first entered, and
    /// `bridgehops`, the number of bridges passed, left out if it is 1. MQTT 5 only.
    case minimal
    /// CloudEvents: user properties in MQTT 5 (binary mode), an envelope of JSON in 3.1.1 (structured mode).
    case cloudevents
    /// CloudEvents as an envelope of JSON (structured mode) in both versions: for a broker to which processes on MQTT 5 and
    /// on 3.1.1 are connected, since a broker sends no user properties to the latter.
    case envelope
    /// No metadata: only the payload and the event's own properties are sent. Identities and hop counts of inbound
    /// messages are ignored.
    case none

    /// All but ``automatic``.
    public static let allCases: [Metadata] = [.minimal, .cloudevents, .envelope, .none]
}

/// The names of user properties. CloudEvents allows only lower-case letters and digits, so these names are valid in
/// both the binary and the structured mode.
enum PropertyName {
    static let id = "bridgeid"
    static let origin = "bridgeorigin"
    static let hops = "bridgehops"
    static let replyTo = "bridgereplyto"
    static let correlation = "bridgecorrelation"

    static let specVersion = "specversion"
    static let eventID = "id"
    static let source = "source"
    static let type = "type"
    static let time = "time"

    static let ours: Set<String> = [id, origin, hops]
    static let cloudEvents: Set<String> = [specVersion, eventID, source, type, time]
}

/// What goes along with a payload on the wire, so that other bridges know an event again.
public enum Metadata: String, Sendable, Hashable, CaseIterable {
    /// The identity, whose source is the bus that it first entered, and the number of bridges so far unless it is 1, as the
    /// user properties `bridgeid` (`SOURCE/TAG`) and `bridgehops`. MQTT 5 only.
    case minimal
    /// CloudEvents: user properties in MQTT 5 (binary mode), an envelope of JSON in 3.1.1 (structured mode).
    case cloudevents
    /// Nothing: the payload, and the properties that the event itself has.
    case none
}

/// The names of user properties. CloudEvents allows lower-case letters and digits only, so that these serve both modes.
enum PropertyName {
    static let id = "bridgeid"
    static let origin = "bridgeorigin"
    static let hops = "bridgehops"

    static let specVersion = "specversion"
    static let eventID = "id"
    static let source = "source"
    static let type = "type"
    static let time = "time"

    static let ours: Set<String> = [id, origin, hops]
    static let cloudEvents: Set<String> = [specVersion, eventID, source, type, time]
}

/// Everything that receives the events of one name. Looked up once per name, then cached.
final class Receivers: Sendable {
    let sinks: [any EventSink]
    /// The sinks of named listeners.
    let named: [NamedMailbox]
    /// The other sinks.
    let unnamed: [any EventSink]
    let transports: [any EventTransport]
    /// Whether there are receivers other than named listeners.
    var hasOthers: Bool { !unnamed.isEmpty || !transports.isEmpty }

    init(sinks: [any EventSink], transports: [any EventTransport]) {
        self.sinks = sinks
        self.transports = transports
        named = sinks.compactMap(\.asNamed)
        unnamed = named.isEmpty ? sinks : sinks.filter { $0.asNamed == nil }
    }
}

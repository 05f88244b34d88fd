import MessageStore
import Mosquitto

/// Remembers that a broker keeps our session, so that its loss is reported even if it happened between two runs.
extension Broker {
    private static let kept = "kept"

    private var sessionText: String { "session of \(options.clientID) at \(name)" }

    /// Whether a later run can resume the session.
    private var isRemembered: Bool { options.session.expiry > .zero && !options.isClientIDGenerated }

    /// This broker, set to expect a session if an earlier run has left one.
    func expectingSession(in store: any MessageStore) throws(StoreError) -> Broker {
        guard isRemembered else { return self }
        var broker = self
        if try store.text(named: sessionText, initial: "none") == Self.kept { broker.options.session.isExpected = true }
        return broker
    }

    /// To be called when the broker has accepted a connection, and so keeps a session.
    func recordSession(in store: any MessageStore) throws(StoreError) {
        guard isRemembered, !options.session.isExpected else { return }
        try store.setText(Self.kept, named: sessionText)
    }
}

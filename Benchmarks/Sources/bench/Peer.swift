/// A program that is measured.
enum Peer: String, CaseIterable {
    case loopForever = "C, loop_forever"
    case ownLoop = "C, own loop"
    case pahoC = "paho C"
    case pahoPython = "paho Python"
    case pythonIdea = "original idea, Python"
    case plainBridge = "bridge, plain I/O"
    case bridge = "bridge"
    case immediateBridge = "bridge, immediate listener"

    /// All whose listeners are called as usual.
    static var usual: [Peer] { allCases.filter { $0 != .immediateBridge } }

    /// Left out of a first impression.
    var isSlow: Bool {
        switch self {
        case .pahoC, .pahoPython, .pythonIdea: true
        case .loopForever, .ownLoop, .plainBridge, .bridge, .immediateBridge: false
        }
    }

    /// What it does.
    enum Role: String {
        /// Counts what comes in.
        case `in`
        /// Publishes.
        case out
        /// Publishes again what comes in.
        case echo
        /// Times one topic while another is flooded.
        case quiet
    }

    /// What to run; `{port}` stands for the port of the broker.
    func command(_ role: Role, version: Int, qos: Int, messages: Int, payload: Int = 64) throws -> [String] {
        let usual = [role.rawValue, "{port}", "\(version)", "\(qos)", "\(messages)", "\(payload)"]
        switch self {
        case .loopForever: return [Programs.path("c-loop-forever")] + usual
        case .ownLoop: return [Programs.path("c-own-loop")] + usual
        case .pahoC: return [Programs.path("paho-c")] + usual
        case .pahoPython: return try Python.command("paho_peer.py") + usual
        case .pythonIdea: return try Python.command("idea_peer.py") + usual
        case .plainBridge:
            let own = try Peer.bridge.command(role, version: version, qos: qos, messages: messages, payload: payload)
            return ["/usr/bin/env", "MQTT_BRIDGE_BUFFERED_IO=off"] + own
        case .immediateBridge:
            let own = try Peer.bridge.command(role, version: version, qos: qos, messages: messages, payload: payload)
            return own + ["--immediate"]
        case .bridge:
            let own = [
                Programs.path("bridge-peer"), role.rawValue, "--port", "{port}", "--mqtt", "\(version)",
                "--qos", "\(qos)", "--messages", "\(messages)",
            ]
            return role == .out ? own + ["--payload", "\(payload)"] : own
        }
    }
}

import MQTTBridge
import Mosquitto

/// Reads one entry of `brokers:`.
struct BrokerReader {
    private static let keys = [
        "url", "urls", "version", "client_id", "session_expiry", "keep_alive", "stall_timeout", "username", "password",
        "tls", "will",
        "metadata", "receive_maximum", "in_flight", "maximum_packet_size", "queue", "connect_timeout", "drain_limit",
        "reconnect", "drain_rate", "replying_within",
    ]
    private static let example = "url: mqtt://HOST[:PORT], mqtts://HOST[:PORT] or unix:///PATH"
    /// The protocol has 32 bits for the seconds; 0xFFFFFFFF means that the session does not expire.
    private static let longestExpiry = Duration.seconds(4_294_967_295)

    let fields: Fields
    var broker: Broker

    /// Reads a broker; nil, with a complaint, if the element is not a mapping.
    init?(_ element: Element) {
        let example = "\(element.name): {url: mqtt://HOST}"
        guard
            let fields = Fields(element, keys: Self.keys, secrets: ["url", "urls", "password"], example: example)
        else { return nil }
        self.fields = fields
        broker = Broker([], name: element.name)
        readAddresses()
        readProtocol()
        readLogin()
        readTLS()
        readLimits()
        readReplies()
        if let will = fields["will"] { broker.options.will = WillReader.read(will, version: broker.options.version) }
    }

    private mutating func readAddresses() {
        switch fields.atMostOne(of: ["url", "urls"], "Keep one of them") {
        case "url": broker.urls = fields["url"].flatMap(url).map { [$0] } ?? []
        case "urls":
            guard let element = fields["urls"] else { return }
            let list = element.list(example: "urls: [mqtt://ONE, mqtt://OTHER], or url: for a single one")
            if list?.isEmpty == true { element.complain("\"urls\" is empty", "Write \(Self.example)") }
            broker.urls = list?.compactMap(url) ?? []
        default: fields.complain("\"url\" is missing", "Write \(Self.example)")
        }
    }

    private func url(_ element: Element) -> BrokerURL? {
        guard let text = element.line("the URL of a broker", example: Self.example) else { return nil }
        do throws(ClientError) {
            return try BrokerURL(text.content)
        } catch {
            // The URL may contain a password; neither part repeats it.
            element.complain("\(error.code): \(error.detail)", error.advice)
            return nil
        }
    }

    private mutating func readProtocol() {
        if let version = fields["version"]?.convert(
            "5 or 3.1.1",
            example: "version: 5",
            { text in text == "5.0" ? .v5 : ProtocolVersion(rawValue: text) }
        ) {
            broker.options.version = version
        }
        if let element = fields["client_id"], let text = element.line(example: "client_id: my-bridge") {
            if text.content.utf8.count > 65_535 {
                element.complain(
                    "\"client_id\" is longer than 65,535 bytes",
                    "Shorten it; every broker accepts 23 bytes"
                )
            }
            broker.options.clientID = text.content
        }
        if let expiry = fields["session_expiry"]?.duration(
            .seconds(1)...Self.longestExpiry,
            orZero: true,
            example: "1h"
        ) {
            broker.options.session.expiry = expiry
        }
        if let keepAlive = fields["keep_alive"]?.duration(
            .seconds(5) ... .seconds(65_535),
            orZero: true,
            example: "30s"
        ) {
            broker.options.timeouts.keepAlive = keepAlive
        }
        if let timeout = fields["stall_timeout"]?.duration(
            .seconds(1) ... .seconds(86_400),
            orZero: true,
            example: "15s"
        ) {
            broker.options.timeouts.stall = timeout
        }
        guard let element = fields["metadata"], let metadata = element.choice(Metadata.self) else { return }
        broker.metadata = metadata
        if metadata == .minimal, broker.options.version == .v3_1_1 {
            element.complain("\"minimal\" needs MQTT 5", "Write metadata: cloudevents or metadata: none")
        }
    }

    private mutating func readReplies() {
        let example = #"replying_within: ["answers/{rest...}"]"#
        broker.replyingWithin =
            fields["replying_within"]?.list(example: example)?.compactMap { element in
                element.template(example: example) { text throws(TemplateError) in try TopicTemplate(text) }
            } ?? []
    }

    private mutating func readLogin() {
        if let element = fields["username"], let text = element.line(example: "username: bridge") {
            if text.content.utf8.count > 65_535 {
                element.complain("\"username\" is longer than 65,535 bytes", "Shorten it")
            }
            broker.options.username = text.content
        }
        guard let element = fields["password"] else { return }
        broker.options.password = SecretReader.read(element)
        if fields["username"] == nil, broker.urls.contains(where: { $0.user == nil }) {
            element.complain("\"password\" needs \"username\"", "Add username: NAME", at: element.keyPosition)
        }
    }

    private mutating func readTLS() {
        guard let element = fields["tls"] else { return }
        broker.options.tls = TLSReader.read(element)
        if !element.isEmpty, !broker.urls.isEmpty, !broker.urls.contains(where: { $0.transport == .tls }) {
            element.complain(
                "\"tls\" has no effect on a URL that does not begin with mqtts://",
                "Write url: mqtts://HOST, or remove tls",
                at: element.keyPosition
            )
        }
    }
}

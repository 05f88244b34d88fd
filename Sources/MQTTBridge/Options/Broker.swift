public import Mosquitto

/// A broker that a bridge connects to.
public struct Broker: Sendable, Hashable {
    /// The name that routes refer to; unique within a bridge.
    public var name: String
    /// The addresses of the broker, tried in turn.
    public var urls: [BrokerURL]
    /// The options of the connection.
    public var options: ClientOptions
    /// The metadata sent with each payload.
    public var metadata: Metadata
    /// The topics to which responses are published when a message names one of them as its response topic: empty, the
    /// default, for none. Else whoever can publish a request could choose where this program publishes.
    public var replyingWithin: [TopicTemplate]
    /// The rate, in messages per second, at which stored messages are published after the broker was unreachable; nil
    /// for no limit. Events emitted meanwhile on other topics do not wait for them.
    public var drainRate: Int? = 1_000

    /// The topic on which the broker retains whether this program is connected; nil, the default, for none. The payload is
    /// `online` after each connect, before any other message, and `offline` after an end in order or a lost connection.
    ///
    /// Short for ``/Mosquitto/ClientOptions/will`` with a birth message, for other payloads or a delay. An invalid topic is an error
    /// of the bridge's initializer.
    public var presence: String? {
        get { options.will?.birth?.topic }
        set {
            options.will = newValue.map { topic in
                func message(_ text: String) -> Message {
                    Message(topic: topic, payload: Array(text.utf8), qos: .atLeastOnce, isRetained: true)
                }
                return Will(message("offline"), birth: message("online"))
            }
        }
    }

    /// Describes a broker; does not connect.
    public init(
        _ urls: [BrokerURL],
        name: String = "default",
        options: ClientOptions = ClientOptions(),
        metadata: Metadata = .automatic,
        replyingWithin: [TopicTemplate] = []
    ) {
        self.name = name
        self.urls = urls
        self.options = options
        self.metadata = metadata
        self.replyingWithin = replyingWithin
    }

    /// Describes a broker at one URL; does not connect.
    ///
    /// - Throws: ``/Mosquitto/ClientError`` if `url` is not a broker URL.
    public init(
        _ url: String,
        name: String = "default",
        options: ClientOptions = ClientOptions(),
        metadata: Metadata = .automatic,
        replyingWithin: [TopicTemplate] = []
    ) throws(ClientError) {
        self.init(
            [try BrokerURL(url)],
            name: name,
            options: options,
            metadata: metadata,
            replyingWithin: replyingWithin
        )
    }
}

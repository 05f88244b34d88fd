public import Mosquitto

/// A broker that a bridge connects to.
public struct Broker: Sendable {
    /// What routes call it.
    public var name: String
    /// Where it is; several are tried in turn.
    public var urls: [BrokerURL]
    /// How to connect.
    public var options: ClientOptions
    /// What goes along with payloads; nil for ``Metadata/minimal`` in MQTT 5 and ``Metadata/none`` in 3.1.1.
    public var metadata: Metadata?
    /// How many stored messages a second are published when the broker is back after an absence; nil for as many as it
    /// takes. What is emitted meanwhile, on other topics, does not wait for them.
    public var drainRate: Int? = 1_000

    /// A broker.
    public init(
        _ urls: [BrokerURL],
        name: String = "default",
        options: ClientOptions = ClientOptions(),
        metadata: Metadata? = nil
    ) {
        self.name = name
        self.urls = urls
        self.options = options
        self.metadata = metadata
    }

    /// A broker at one URL.
    ///
    /// - Throws: ``Mosquitto/ClientError`` if the text is not a URL.
    public init(
        _ url: String,
        name: String = "default",
        options: ClientOptions = ClientOptions()
    ) throws(ClientError) {
        self.init([try BrokerURL(url)], name: name, options: options)
    }

    var wireFormat: WireFormat {
        WireFormat(version: options.version, metadata: metadata ?? (options.version == .v5 ? .minimal : .none))
    }
}

/// Limits of a bridge.
public struct BridgeOptions: Sendable, Hashable {
    /// The most bridges that a message passes: one that has passed so many is not published again. Also how often
    /// content without an identity may come from one broker and another in turns.
    public var maximumHops = 8
    /// How often a second the same content, without an identity, is passed from one broker to another before that is
    /// taken for a loop.
    public var repeatLimit = 64
    /// The largest payload that is taken in, in bytes. A larger one is acknowledged, counted and
    /// dropped; on a durable route it leaves a dead letter without a payload.
    public var maximumPayload = 1024 * 1024
    /// How the store is used, where the bridge has one.
    public var store = StoreOptions()

    /// The defaults.
    public init() {}
}

import FoundationEssentials
public import MQTTBridge

/// The content of a configuration file: brokers, routes, limits and the store, for the initializer of a `Bridge`.
///
/// A file is YAML, of which JSON is a subset; `Config/bridge.yaml` shows every key. Reading it opens no connection. It
/// reports all mistakes that show without a connection at once. An unreadable certificate or password file is a mistake
/// too, so the result depends on the machine.
///
///     let configuration = try BridgeConfiguration(contentsOf: "Config/bridge.yaml")
///     let bridge = try Bridge(
///         bus: bus,
///         brokers: configuration.brokers,
///         routes: configuration.routes,
///         options: configuration.options
///     )
public struct BridgeConfiguration: Sendable {
    /// The brokers, in the order of the file; at least one.
    public var brokers: [Broker]
    /// The routes, in the order of the file; none if the file has no `routes`, and then a bridge maps everything.
    public var routes: [Route]
    /// The limits, including the limits of the store.
    public var options: BridgeOptions
    /// The place and handling of the store; nil if the file has no `store`. Then nothing outlives the process, unless
    /// the program gives the bridge a store of its own.
    public var store: StoreConfiguration?

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - environment: The variables for `${NAME}` in texts.
    ///   - hasStore: Whether the bridge gets a store even if the file has none: `durability: disk` is no mistake
    ///     then.
    /// - Throws: ``ConfigurationProblems`` with every mistake in it. A file that cannot be read, is larger than 1 MiB
    ///   or is not UTF-8 is a mistake too.
    public init(
        contentsOf path: String,
        environment: [String: String] = BridgeConfiguration.processEnvironment,
        hasStore: Bool = false
    ) throws(ConfigurationProblems) {
        let text = try ConfigurationFile.read(path)
        try self.init(yaml: text, file: path, environment: environment, hasStore: hasStore)
    }

    /// Reads a text.
    ///
    /// - Parameters:
    ///   - yaml: The text, YAML 1.1.
    ///   - file: Named in problems; paths in the text are relative to its folder. It is not opened.
    ///   - environment: The variables for `${NAME}` in texts.
    ///   - hasStore: Whether the bridge gets a store even if the text has none.
    /// - Throws: ``ConfigurationProblems`` with every mistake in it.
    public init(
        yaml: String,
        file: String,
        environment: [String: String],
        hasStore: Bool = false
    ) throws(ConfigurationProblems) {
        let collector = ProblemCollector(file: file, source: SourceText(yaml), environment: environment)
        let reader = Document(collector).map { ConfigurationReader($0, collector, hasStore: hasStore) }
        guard let reader, collector.isEmpty else { throw collector.problems }
        (brokers, routes, options, store) = (reader.brokers, reader.routes, reader.options, reader.store)
    }

    /// The environment of this process.
    public static var processEnvironment: [String: String] { ProcessInfo.processInfo.environment }
}

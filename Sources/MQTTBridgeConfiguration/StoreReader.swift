import MQTTBridge

/// Reads `store:`.
struct StoreReader {
    private static let keys = ["path", "limits", "policy", "synchronous", "on_corrupt", "dedupe", "dead_letters"]
    private static let dedupeExample = "dedupe: {time: 1h, count: 100000}"

    private(set) var store = StoreConfiguration()
    private(set) var options = StoreOptions()

    /// What could be read of it.
    init(_ element: Element) {
        let example = "store: {}, or store: {path: FILE}"
        guard let fields = Fields(element, keys: Self.keys, example: example) else { return }
        store.path = fields["path"]?.newFilePath(example: "path: /var/lib/mqtt-bridge/store.sqlite")
        if let limits = fields["limits"]?.storeLimits(otherwise: options.limits) { options.limits = limits }
        if let policy = fields["policy"]?.choice(StorePolicy.self) { options.policy = policy }
        if let mode = fields["synchronous"]?.choice(StoreConfiguration.Synchronous.self) { store.synchronous = mode }
        if let choice = fields["on_corrupt"]?.choice(StoreConfiguration.WhenCorrupt.self) { store.whenCorrupt = choice }
        if let dedupe = fields["dedupe"] { readDedupe(dedupe) }
        if let count = fields["dead_letters"]?.number(1...10_000_000, example: 10_000) { options.deadLetters = count }
    }

    private mutating func readDedupe(_ element: Element) {
        guard let fields = Fields(element, keys: ["time", "count"], example: Self.dedupeExample) else { return }
        let range = Duration.seconds(1) ... .seconds(30 * 86_400)
        if let time = fields["time"]?.duration(range, example: "1h") { options.dedupeSpan = time }
        if let count = fields["count"]?.number(1...10_000_000, example: 100_000) { options.dedupeCount = count }
    }
}

extension StoreLimits {
    /// The most that a file may say.
    static let largest = StoreLimits(messages: 1_000_000_000, bytes: 1 << 40)
}

extension Element {
    /// `{messages, bytes}`, each with a value that it has if it is not written.
    func storeLimits(otherwise defaults: StoreLimits) -> StoreLimits? {
        let example = "limits: {messages: 1000000, bytes: 1GiB}"
        guard let fields = Fields(self, keys: ["messages", "bytes"], example: example) else { return nil }
        var limits = defaults
        let largest = StoreLimits.largest
        if let messages = fields["messages"]?.number(1...largest.messages, example: 1_000_000) {
            limits.messages = messages
        }
        if let bytes = fields["bytes"]?.size(1...Int64(largest.bytes), example: "1GiB") { limits.bytes = Int(bytes) }
        return limits
    }

    /// The path of a file that may be missing still; a relative one begins at the folder of the configuration.
    func newFilePath(example: String) -> String? {
        guard let text = line("a path", example: example) else { return nil }
        if text.content.hasPrefix("~") {
            complain("~ is not expanded", "Write the whole path, as in \(example)")
            return nil
        }
        let path = findings.resolved(text.content)
        if path.hasSuffix("/") || ConfigurationFile.problem(with: path, .folder) == nil {
            complain("\"\(name)\" leads to a folder", "Write the path of a file, as in \(example)")
            return nil
        }
        return path
    }
}

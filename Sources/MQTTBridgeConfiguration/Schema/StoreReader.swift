import MQTTBridge

/// Reads `store:`.
struct StoreReader {
    private static let keys = [
        "path", "limits", "policy", "synchronous", "on_corrupt", "check_at_start", "dedupe", "dead_letters",
        "dead_letter_bytes",
    ]
    private static let dedupeExample = "dedupe: {time: 1h, count: 100000}"

    private(set) var store = StoreConfiguration()
    private(set) var options = StoreOptions()

    /// Reads the valid parts and complains about the others.
    init(_ element: Element) {
        let example = "store: {}, or store: {path: FILE}"
        guard let fields = Fields(element, keys: Self.keys, example: example) else { return }
        store.path = fields["path"]?.newFilePath(example: "path: /var/lib/mqtt-bridge/store.sqlite")
        if let limits = fields["limits"]?.storeLimits(otherwise: options.limits) { options.limits = limits }
        if let policy = fields["policy"]?.choice(StorePolicy.self) { options.policy = policy }
        if let mode = fields["synchronous"]?.choice(StoreConfiguration.Synchronous.self) { store.synchronous = mode }
        if let choice = fields["on_corrupt"]?.choice(StoreConfiguration.OnCorrupt.self) { store.onCorrupt = choice }
        if let check = fields["check_at_start"]?.choice(StoreConfiguration.CheckAtStart.self) {
            store.checkAtStart = check
        }
        if let dedupe = fields["dedupe"] { readDedupe(dedupe) }
        if let count = fields["dead_letters"]?.number(1...10_000_000, example: 10_000) { options.deadLetters = count }
        if let bytes = fields["dead_letter_bytes"]?.size(1024...Int64(StoreLimits.largest.bytes), example: "64MiB") {
            options.deadLetterBytes = Int(bytes)
        }
    }

    private mutating func readDedupe(_ element: Element) {
        guard let fields = Fields(element, keys: ["time", "count"], example: Self.dedupeExample) else { return }
        let range = Duration.seconds(1) ... .seconds(30 * 86_400)
        if let time = fields["time"]?.duration(range, example: "1h") { options.dedupeSpan = time }
        if let count = fields["count"]?.number(1...10_000_000, example: 100_000) { options.dedupeCount = count }
    }
}

extension StoreLimits {
    /// The largest limits that a file may contain.
    static let largest = StoreLimits(messages: 1_000_000_000, bytes: 1 << 40)
}

extension Element {
    /// Reads `{messages, bytes}`, with defaults for missing keys.
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

    /// Returns the path of a file that need not exist. A relative path is relative to the folder of the configuration.
    func newFilePath(example: String) -> String? {
        guard let text = line("a path", example: example) else { return nil }
        if text.content.hasPrefix("~") {
            complain("~ is not expanded", "Write the whole path, as in \(example)")
            return nil
        }
        let path = collector.resolved(text.content)
        if path.hasSuffix("/") || ConfigurationFile.problem(with: path, .folder) == nil {
            complain("\"\(name)\" leads to a folder", "Write the path of a file, as in \(example)")
            return nil
        }
        return path
    }
}

extension Broken {
    /// A sound broker, and a store with one line.
    private static func store(_ name: String, _ line: String, says message: String, advises advice: String) -> Broken {
        Broken(name, "brokers: {home: {url: mqtt://h}}\nstore:\n  \(line)\n", says: message, advises: advice)
    }

    /// A route in a file with a store.
    private static func route(_ name: String, _ keys: String, says message: String, advises advice: String) -> Broken {
        routes(name, "  - {topic: a, event: e, \(keys)}\nstore: {}", says: message, advises: advice)
    }

    static let durability: [Broken] = [
        Broken(
            "a store of nothing",
            "brokers: {home: {url: mqtt://h}}\n▸store:\n",
            says: "\"store\" has no value",
            advises: "store: {}"
        ),
        Broken(
            "a store as a path",
            "brokers: {home: {url: mqtt://h}}\nstore: ▸/var/s\n",
            says: "a mapping, not",
            advises: "store: {path: FILE}"
        ),
        store("a key misspelled", "▸on_corupt: refuse", says: "unknown key", advises: "mean on_corrupt?"),
        store("a path in the home folder", "path: ▸~/s.sqlite", says: "not expanded", advises: "path: /var/lib"),
        store("a path to a folder", "path: ▸/", says: "leads to a folder", advises: "the path of a file"),
        store("a path of nothing", "path: ▸\"\"", says: "\"path\" is empty", advises: "path: /var/lib"),
        store("a policy that is none", "policy: ▸drop-odest", says: "drop-newest or reject", advises: "drop-oldest"),
        store("a mode that is none", "synchronous: ▸off", says: "full or normal", advises: "synchronous: full"),
        store("another way with damage", "on_corrupt: ▸delete", says: "refuse or move-aside", advises: "refuse"),
        store("another check", "check_at_start: ▸none", says: "quick or full", advises: "check_at_start: quick"),
        store("limits of nothing", "limits: {messages: ▸0}", says: "from 1 to 1000000000", advises: "1000000"),
        store("limits without a unit", "limits: {bytes: ▸100}", says: "no unit", advises: "bytes: 1GiB"),
        store("another limit", "limits: {▸size: 1}", says: "unknown key \"size\"", advises: "messages, bytes"),
        store("a time without a unit", "dedupe: {time: ▸60}", says: "no unit", advises: "time: 1h"),
        store("too long a time", "dedupe: {time: ▸31d}", says: "1s to 30d", advises: "time: 1h"),
        store("no identities", "dedupe: {count: ▸0}", says: "from 1", advises: "count: 100000"),
        store("dedupe as a duration", "dedupe: ▸1h", says: "a mapping, not", advises: "dedupe: {time: 1h"),
        store(
            "dead letters without a unit",
            "dead_letter_bytes: ▸100",
            says: "no unit",
            advises: "dead_letter_bytes: 64MiB"
        ),
        store("no dead letters", "dead_letters: ▸0", says: "from 1", advises: "dead_letters: 10000"),
        broker("a rate with a unit", "drain_rate: ▸10/s", says: "a number from 0", advises: "drain_rate: 1000"),
        routes(
            "a route on disk without a store",
            "  - topic: a\n    event: e\n    ▸durability: disk",
            says: "there is no store for \"disk\"",
            advises: "Add store: {} to the configuration, or --store PATH"
        ),
        routes(
            "a policy without a store",
            "  - {topic: a, event: e, ▸policy: block}",
            says: "\"policy\" has no effect without a store",
            advises: "Add store: {} to the file"
        ),
        route("another durability", "durability: ▸ram", says: "memory or disk", advises: "durability: memory"),
        route("a time of nothing", "ttl: ▸0", says: "1ms to 365d", advises: "ttl: 1h"),
        route("a policy of a route that is none", "policy: ▸wait", says: "block, drop-oldest", advises: "policy: "),
        route("limits of a route", "limits: {bytes: ▸1}", says: "no unit", advises: "bytes: 1GiB"),
        route("limits as a number", "limits: ▸5", says: "a mapping, not", advises: "limits: {messages:"),
        route(
            "a time to live in memory",
            "durability: memory, ▸ttl: 1h",
            says: "no effect with durability: memory",
            advises: "Write durability: disk, or remove it"
        ),
    ]
}

import MQTTBridge
import MQTTBridgeConfiguration
import TestSupport
import Testing

@Suite("The store in a configuration")
struct StoreReaderTests {
    private static let broker = "brokers: {home: {url: mqtt://h}}\n"

    private func read(_ yaml: String, hasStore: Bool = false) throws -> BridgeConfiguration {
        try BridgeConfiguration(yaml: Self.broker + yaml, file: "dir/f.yaml", environment: [:], hasStore: hasStore)
    }

    private func messages(_ yaml: String, hasStore: Bool) -> [String] {
        do throws(ConfigurationProblems) {
            _ = try BridgeConfiguration(yaml: Self.broker + yaml, file: "f", environment: [:], hasStore: hasStore)
            return []
        } catch {
            return error.problems.map(\.message)
        }
    }

    @Test("every key of the store arrives")
    func everyKey() throws {
        let configuration = try read(
            """
            store:
              path: /var/x.sqlite
              limits: {messages: 5, bytes: 6KiB}
              policy: drop-newest
              synchronous: normal
              on_corrupt: move-aside
              check_at_start: full
              dedupe: {time: 2h, count: 7}
              dead_letters: 8
              dead_letter_bytes: 2MiB
            """
        )
        #expect(
            configuration.store
                == StoreConfiguration(
                    path: "/var/x.sqlite",
                    synchronous: .normal,
                    onCorrupt: .moveAside,
                    checkAtStart: .full
                )
        )
        let options = configuration.options.store
        #expect(options.limits == StoreLimits(messages: 5, bytes: 6144))
        #expect(options.policy == .dropNewest)
        #expect(options.dedupeSpan == .seconds(7_200) && options.dedupeCount == 7)
        #expect(options.deadLetters == 8 && options.deadLetterBytes == 2 * 1024 * 1024)
    }

    @Test("an empty mapping is a store with the defaults, and a half of the limits leaves the other")
    func defaults() throws {
        let empty = try read("store: {}")
        #expect(empty.store == StoreConfiguration())
        #expect(empty.options.store == StoreOptions())
        let limits = try read("store: {limits: {bytes: 1MiB}, dedupe: {count: 9}}").options.store
        #expect(limits.limits == StoreLimits(messages: StoreOptions().limits.messages, bytes: 1 << 20))
        #expect(limits.dedupeSpan == StoreOptions().dedupeSpan && limits.dedupeCount == 9)
    }

    @Test("a relative path begins at the folder of the file, and the file may be missing")
    func relativePath() throws {
        #expect(try read("store: {path: sub/s.sqlite}").store?.path == "dir/sub/s.sqlite")
        #expect(try read("store: {path: s~1.sqlite}").store?.path == "dir/s~1.sqlite")
    }

    @Test("a path that leads to a folder is a mistake")
    func folder() throws {
        let folder = try TemporaryDirectory()
        #expect(messages("store: {path: \(folder.path)}", hasStore: false) == ["\"path\" leads to a folder"])
        let file = try folder.write("", to: "there.sqlite")
        #expect(messages("store: {path: \(file)}", hasStore: false).isEmpty)
    }

    @Test("every key that a route has for the store arrives")
    func route() throws {
        let routes = try read(
            """
            routes:
              - {topic: a, event: a, durability: disk, ttl: 5m, limits: {messages: 5, bytes: 1KiB}, policy: drop-oldest}
              - {topic: b, event: b, durability: memory}
              - {topic: c, event: c, qos: 0, durability: disk}
              - {topic: d, event: d}
              - {topic: e, event: e, limits: {messages: 9}}
            store: {}
            """
        ).routes
        #expect(routes.map(\.durability) == [.disk, .memory, .disk, nil, nil])
        #expect(routes[0].timeToLive == .seconds(300))
        #expect(routes[0].limits == StoreLimits(messages: 5, bytes: 1024))
        #expect(routes[0].policy == .dropOldest)
        #expect(routes[3].timeToLive == nil && routes[3].limits == nil && routes[3].policy == nil)
        #expect(routes[4].limits?.messages == 9 && routes[4].limits?.bytes == 1 << 40)
    }

    @Test("a drain rate of 0 is no limit")
    func drainRate() throws {
        let text = """
            brokers: {a: {url: mqtt://h, drain_rate: 0}, b: {url: mqtt://i}}
            routes: [{topic: x, event: x, broker: a}]
            """
        let brokers = try BridgeConfiguration(yaml: text, file: "f", environment: [:]).brokers
        #expect(brokers.map(\.drainRate) == [nil, 1_000])
    }

    @Test("a route on disk needs a store, in the file or on the command line", arguments: ["", "store: {}\n"])
    func needsStore(store: String) {
        let text = store + "routes: [{topic: a, event: a, durability: disk, policy: reject}]"
        #expect(messages(text, hasStore: false) == (store.isEmpty ? ["there is no store for \"disk\""] : []))
        #expect(messages(text, hasStore: true).isEmpty)
        // A broken store is one mistake, not one for each route.
        #expect(messages("store: none\nroutes: [{topic: a, event: a, durability: disk}]", hasStore: false).count == 1)
    }

    @Test(
        "what has no effect because the route is not durable is a mistake",
        arguments: [
            ("durability: memory", "with durability: memory"),
            ("qos: 0", "with qos: 0, unless the route has durability: disk"),
        ]
    )
    func noEffect(line: String, reason: String) {
        let text = "store: {}\nroutes: [{topic: a, event: a, \(line), ttl: 1h, limits: {messages: 1}, policy: block}]"
        let expected = ["ttl", "limits", "policy"].map { "\"\($0)\" has no effect \(reason)" }
        #expect(messages(text, hasStore: false) == expected)
    }

    @Test("without a store a time to live has no effect, and the mend is to add one")
    func noStore() {
        let text = "routes: [{topic: a, event: a, ttl: 1h}]"
        #expect(messages(text, hasStore: false) == ["\"ttl\" has no effect without a store"])
        #expect(messages(text, hasStore: true).isEmpty)
    }
}

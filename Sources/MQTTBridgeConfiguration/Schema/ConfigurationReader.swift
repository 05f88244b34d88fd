import MQTTBridge
import Mosquitto
import Yams

/// Reads a whole document: the top level of the schema, and the rules across its parts.
struct ConfigurationReader {
    private(set) var brokers: [Broker] = []
    private(set) var routes: [Route] = []
    private(set) var options = BridgeOptions()
    private(set) var store: StoreConfiguration?
    private let collector: ProblemCollector

    private static let brokersExample = "brokers: {home: {url: mqtt://127.0.0.1:1883}}"

    init(_ document: Document, _ collector: ProblemCollector, hasStore: Bool) {
        self.collector = collector
        guard let root = document.root else {
            collector.add(.start, "the file is empty", "Write \(Self.brokersExample)")
            return
        }
        let element = Element(
            node: root,
            name: "configuration",
            keyPosition: .start,
            isSecret: false,
            document: document,
            collector: collector
        )
        let keys = ["brokers", "routes", "limits", "store"]
        guard let fields = Fields(element, keys: keys, example: Self.brokersExample) else { return }
        let names = readBrokers(fields)
        readRoutes(fields, brokers: names, hasStore: hasStore || fields["store"] != nil)
        if let limits = fields["limits"] { readLimits(limits) }
        if let element = fields["store"] {
            let reader = StoreReader(element)
            (store, options.store) = (reader.store, reader.options)
        }
    }

    /// Reads the brokers. Returns the names of all brokers, including brokers with mistakes.
    private mutating func readBrokers(_ fields: Fields) -> [String] {
        guard let element = fields.required("brokers", example: Self.brokersExample),
            let entries = element.pairs(example: Self.brokersExample)
        else { return [] }
        if entries.isEmpty { element.complain("\"brokers\" is empty", "Write \(Self.brokersExample)") }
        for entry in entries where entry.name.isEmpty {
            collector.add(entry.keyPosition, "the name of a broker is empty", "Write \(Self.brokersExample)")
        }
        var owners: [String: String] = [:]
        for entry in entries {
            guard let broker = BrokerReader(entry)?.broker else { continue }
            brokers.append(broker)
            for url in Set(broker.urls) {
                let key = "\(url.transport) \(url.host) \(url.port) \(broker.options.clientID)"
                guard let other = owners.updateValue(broker.name, forKey: key), other != broker.name else { continue }
                entry.complain(
                    "the same URL and \"client_id\" as broker \"\(escapedForLog(other, limit: 40))\"",
                    "Choose another client_id: a broker keeps only one connection for each",
                    at: entry.keyPosition
                )
            }
        }
        var names: [String] = []
        var known: Set<String> = []
        for entry in entries where known.insert(entry.name).inserted { names.append(entry.name) }
        return names
    }

    private mutating func readRoutes(_ fields: Fields, brokers names: [String], hasStore: Bool) {
        let example = #"routes: [{topic: "home/{rest...}", event: "home.{rest...}"}]"#
        guard let element = fields["routes"] else {
            if names.count > 1 {
                fields.complain("\"routes\" is missing, and there are several brokers", "Write \(example)")
            }
            return
        }
        guard !element.isEmpty, element.node.sequence?.isEmpty != true else {
            element.complain("\"routes\" is empty", "Remove it to map everything, or write \(example)")
            return
        }
        guard let list = element.list(example: example) else { return }
        let readers = list.map { RouteReader($0, brokers: names, hasStore: hasStore) }
        routes = readers.compactMap(\.route)
        // Problems refer to routes by index: an unreadable route is replaced by a route that overlaps no other.
        let complete = readers.enumerated().map { position, reader in
            reader.route ?? .unreadable(position, broker: names.first ?? "default")
        }
        // Without brokers, avoid a repeated complaint for each route.
        let known = Set(names).union(names.isEmpty ? complete.map(\.broker) : [])
        for problem in RouteCheck.problems(in: complete, brokers: known, hasStore: hasStore) {
            readers[problem.route].complain(problem)
        }
    }

    private mutating func readLimits(_ element: Element) {
        let keys = ["payload", "hops", "repeats_per_second"]
        guard let fields = Fields(element, keys: keys, example: "limits: {payload: 1MiB}") else { return }
        if let size = fields["payload"]?.size(1...(1 << 28), example: "1MiB") { options.maximumPayload = Int(size) }
        if let hops = fields["hops"]?.number(1...1_000, example: 8) { options.maximumHops = hops }
        if let limit = fields["repeats_per_second"]?.number(1...1_000_000, example: 64) { options.repeatLimit = limit }
    }
}

extension Route {
    /// Returns a placeholder for an unreadable route, with names that no real route has.
    fileprivate static func unreadable(_ position: Int, broker: String) -> Route {
        let name = "unreadable\u{7F}\(position)"
        guard let topic = try? TopicTemplate("$unreadable-route/\(position)"), let event = try? EventTemplate(name)
        else {
            return .everything(broker: broker)
        }
        return Route(topic, event, direction: .out, name: name, broker: broker)
    }
}

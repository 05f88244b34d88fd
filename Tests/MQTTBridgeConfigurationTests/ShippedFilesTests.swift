import Foundation
import MQTTBridge
import MQTTBridgeConfiguration
import Mosquitto
import TestSupport
import Testing

@Suite("The files that come along")
struct ShippedFilesTests {
    @Test("every YAML file in Config passes, as it is and with nothing set in the environment")
    func allFiles() throws {
        let secret = try TemporaryDirectory()
        let names = try FileManager.default.contentsOfDirectory(atPath: Repository.path("Config"))
            .filter { $0.hasSuffix(".yaml") }
        #expect(Set(names).isSuperset(of: ["bridge.yaml", "demo.yaml", "docker.yaml", "gateway.yaml"]))
        // The password that docker-compose.yml makes is in no other place than the container.
        let environment = ["MQTT_BRIDGE_PASSWORD_FILE": try secret.write("x", to: "password")]
        for name in names {
            let only = name == "docker.yaml" ? environment : [:]
            _ = try BridgeConfiguration(contentsOf: Repository.path("Config/\(name)"), environment: only)
        }
    }

    @Test("the file of the container has no mistake but that its password is not here")
    func docker() {
        let error = #expect(throws: ConfigurationProblems.self) {
            try BridgeConfiguration(contentsOf: Repository.path("Config/docker.yaml"), environment: [:])
        }
        #expect(error?.problems.count == 1)
        #expect(error?.problems.first?.message == "cannot read the file: No such file or directory")
    }

    @Test("the starter file passes, and so do the lines that it has as comments")
    func starter() throws {
        let folder = try TemporaryDirectory()
        let plain = try BridgeConfiguration(contentsOf: try folder.write(BridgeConfiguration.starter, to: "b.yaml"))
        #expect(plain.routes.map(\.name) == ["temperature", "switches"])
        #expect(BridgeConfiguration.starter.hasSuffix("\n") && !BridgeConfiguration.starter.contains("\t"))
        try folder.write("x", to: "password.txt")
        try folder.write("x", to: "ca.pem")
        let full = BridgeConfiguration.starter
            .replacing("url: mqtt://", with: "url: mqtts://")
            .replacing("# client_id", with: "client_id").replacing("# username", with: "username")
            .replacing("# password: {file", with: "password: {file").replacing("# tls:", with: "tls:")
            .replacing("# store:", with: "store:")
        let configuration = try BridgeConfiguration(contentsOf: try folder.write(full, to: "b.yaml"))
        #expect(configuration.brokers[0].options.password != nil)
        #expect(plain.store == nil && configuration.store == StoreConfiguration())
        #expect(configuration.brokers[0].options.tls.trust == .file(folder.file("ca.pem")))
    }

    @Test("the file with every key has every key, with the defaults that it promises")
    func everyKey() throws {
        let text = try Repository.text("Config/bridge.yaml")
        let listed = problems(
            """
            brokers: {home: {?: 1, tls: {?: 1}, will: {?: 1}, queue: {?: 1}, reconnect: {?: 1}}}
            routes: [{?: 1, limits: {?: 1}}]
            limits: {?: 1}
            store: {?: 1, limits: {?: 1}, dedupe: {?: 1}}
            ?: 1
            """
        )
        .compactMap { $0.advice.split(separator: "The keys here are: ").last?.split(separator: ", ") }
        #expect(listed.count > 10)
        for key in Set(listed.joined()) where !key.contains(" ") {
            #expect(text.contains(try Regex("(?m)(^|[ #{-])\(key):")), "\(key)")
        }
        let configuration = try BridgeConfiguration(yaml: text, file: "bridge.yaml", environment: [:])
        let (options, expected) = (configuration.brokers[0].options, ClientOptions())
        #expect(options.version == expected.version && options.session.expiry == expected.session.expiry)
        #expect(
            options.timeouts.keepAlive == expected.timeouts.keepAlive
                && options.limits.receiveMaximum == expected.limits.receiveMaximum
        )
        #expect(options.timeouts.stall == expected.timeouts.stall)
        #expect(options.limits.maximumPacketSize == expected.limits.maximumPacketSize)
        #expect(
            options.limits.inFlightWindow == expected.limits.inFlightWindow
                && options.limits.queueBytes == expected.limits.queueBytes
        )
        #expect(
            options.limits.queueCapacity == expected.limits.queueCapacity
                && options.timeouts.connect == expected.timeouts.connect
        )
        #expect(
            options.timeouts.drain == expected.timeouts.drain && options.reconnect.backoff == expected.reconnect.backoff
        )
        #expect(configuration.options == BridgeOptions())
        #expect(configuration.store == StoreConfiguration())
        #expect(configuration.brokers[0].drainRate == Broker([]).drainRate)
        #expect(configuration.brokers[0].replyingWithin == Broker([]).replyingWithin)
    }

    @Test("the gateway keeps everything on disk, and drops nothing when the store is full")
    func gateway() throws {
        let path = Repository.path("Config/gateway.yaml")
        let configuration = try BridgeConfiguration(contentsOf: path, environment: [:])
        #expect(configuration.store != nil && configuration.options.store.policy == .block)
        #expect(configuration.brokers.allSatisfy { $0.options.session.expiry > .zero })
        for route in configuration.routes {
            #expect(route.qos == .atLeastOnce && route.durability == nil && route.policy == nil, "\(route.name)")
        }
    }

    @Test("the demonstration has the routes that its comments promise, and no topic fits two")
    func demonstration() throws {
        let configuration = try BridgeConfiguration(contentsOf: Repository.path("Config/demo.yaml"), environment: [:])
        #expect(configuration.brokers.map { $0.urls.map(\.description) } == [["mqtt://127.0.0.1:1883"]])
        #expect(
            configuration.routes.first
                == Route(
                    "home/{room}/temperature",
                    "climate.{room}.temperature",
                    name: "temperature",
                    broker: "demo"
                )
        )
        let filters = configuration.routes.map { $0.topic.filter.split(separator: "/") }
        let topic = "home/kitchen/temperature".split(separator: "/")
        let matching = filters.filter { filter in
            filter.last == "#" || filter.count == topic.count && zip(filter, topic).allSatisfy { $0 == "+" || $0 == $1 }
        }
        #expect(matching.filter { $0.first != "garden" }.count == 1)
    }
}

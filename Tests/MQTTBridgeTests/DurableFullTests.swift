import AsyncEventBus
import Foundation
import MessageStore
import Mosquitto
import SQLiteStore
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("a medium that the backlog itself has filled")
    struct DurableFull {
        private let routes = [Route("t/{n}", "t.{n}", direction: .in), Route("o/{n}", "o.{n}", direction: .out)]

        @Test("outbound: a part of the emits fits, what is there is published, and the rest follows in order")
        func outbound() async throws {
            let broker = try MosquittoBroker.start()
            broker.stop()
            let store = FullStore(capacity: 600)
            let station = try Station([try .quick(broker.url)], routes: routes, store: store)
            try await withRunning(station, ready: false) {
                let receipts = (0..<1_000).map { station.bus.tracked.emit("o.a", Payload("\($0)")) }
                #expect(try await station.tells("storefailed")["code"] == "no space left")
                try await until { try store.count(.outbound) >= 256 }
                try broker.restart()
                try await withPlainClient(broker.url, ["o/#"]) { plain in
                    for receipt in receipts {
                        try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                    }
                    let numbers = plain.texts.compactMap { Int($0) }
                    #expect(numbers == numbers.sorted())
                }
                try await station.tells("storerecovered")
                try await until { try store.count(.outbound) == 0 }
            }
            #expect(store.refused > 0 && station.reports("storefailed").count < 4)
        }

        @Test("inbound: what is there reaches the listener while nothing more fits, and the rest comes again")
        func inbound() async throws {
            let broker = try MosquittoBroker.start()
            let store = FullStore(capacity: 200)
            let source = try Broker.quick(broker.url) { $0.timeouts.hold = .milliseconds(50) }
            let station = try Station([source], routes: routes, store: store, hears: false)
            let slow = Hearer(isOpen: false)
            try slow.join(station.bus, "slow", to: "t.*", capacity: 1)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in 0..<300 {
                        let user: [MessageProperties.UserProperty] = [.init(PropertyName.id, "elsewhere/\(number)")]
                        try await plain.publish("t/a", "\(number)", user: user)
                    }
                    try await station.tells("storefailed")
                    let stored = try store.count(.inbound)
                    #expect(stored > 0 && stored <= 200)
                    slow.open()
                    // Each time that it is full again the bridge waits for up to 5 s.
                    try await until(within: .seconds(120)) { slow.finished.count >= 300 }
                    try await until { try store.count(.inbound) == 0 }
                    try await station.tells("storerecovered")
                }
            }
            #expect(slow.finished == (0..<300).map(String.init))
        }

        @Test("dead letters leave their messages for good only when they are kept")
        func letters() async throws {
            let broker = try MosquittoBroker.start()
            let store = FullStore(capacity: 20)
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            try station.bus.on("t.*", durable: "fails", delivery: .serial) { _ in throw CancellationError() }
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in 0..<20 { try await plain.publish("t/a", "\(number)") }
                    try await until { try store.status().deadLetters == 20 }
                    #expect(try store.count(.inbound) == 0)
                }
            }
        }

        @Test(
            "on a small disk without a byte left, both ways drain by themselves",
            .enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs root")
        )
        func smallDisk() async throws {
            let disk = try SmallDisk(kilobytes: 4 * 1024)
            let (near, far) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            far.stop()
            let store = try SQLiteStore.open(.init(path: disk.path + "/store.db"))
            defer { store.close() }
            let routes = [
                Route("t/{n}", "t.{n}", direction: .in, broker: "near"),
                Route("o/{n}", "o.{n}", direction: .out, broker: "far"),
            ]
            let brokers = [
                try Broker.quick(near.url, name: "near") { $0.timeouts.hold = .milliseconds(50) },
                try Broker.quick(far.url, name: "far"),
            ]
            let station = try Station(brokers, routes: routes, store: store, hears: false)
            let slow = Hearer(isOpen: false)
            try slow.join(station.bus, "slow", to: "t.*", capacity: 1)
            try await withPlainClient(near.url, []) { plain in
                try await withRunning(station, ready: false) {
                    try await station.tells("subscribed")
                    for number in 0..<100 { try await plain.publish("t/a", "\(number)") }
                    try await until { try store.count(.inbound) == 100 }
                    let filling = String(repeating: "x", count: 4_000)
                    let receipts = (0..<1_200).map { station.bus.tracked.emit("o.a", Payload("\($0) \(filling)")) }
                    try await station.tells("storefailed")
                    let filler = try #require(fopen(disk.path + "/filler", "a"))
                    defer { fclose(filler) }
                    setbuf(filler, nil)
                    while fwrite(filling, 1, 4_000, filler) == 4_000 {}
                    slow.open()
                    try await until { slow.finished.count >= 100 }
                    try far.restart()
                    for receipt in receipts {
                        try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                    }
                    try await until { try store.status().messages == 0 }
                }
            }
            #expect(try store.check() == [])
        }
    }
}

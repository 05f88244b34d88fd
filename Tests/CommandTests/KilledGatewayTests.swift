import Foundation
import Glibc
import MessageStore
import SQLiteStore
import TestSupport
import Testing

@Suite("A gateway that embeds the bridge, killed in the middle")
struct KilledGatewayTests {
    /// What a listener said.
    private struct Call: Hashable {
        let listener: String
        let payload: String
        let attempt: Int

        init?(_ line: String) {
            let words = line.split(separator: " ")
            guard words.count == 3, let attempt = Int(words[2]) else { return nil }
            (listener, payload, self.attempt) = (String(words[0]), String(words[1]), attempt)
        }
    }

    private func calls(_ gateway: ChildProcess, _ listener: String) -> [Call] {
        gateway.lines(of: .output).compactMap(Call.init).filter { $0.listener == listener }
    }

    private func start(_ broker: MosquittoBroker, _ store: String) async throws -> ChildProcess {
        let path = URL(fileURLWithPath: Command.path).deletingLastPathComponent().appendingPathComponent(
            "three-listeners"
        )
        let gateway = try ChildProcess(path.path, [broker.url, store])
        try await gateway.waitForLine(containing: "ready", in: .output, within: .seconds(15))
        return gateway
    }

    @Test("the listener that had finished does not run again; the slow one and the one that fails do, and see it")
    func killed() async throws {
        let broker = try MosquittoBroker.start()
        let folder = try TemporaryDirectory()
        let store = "\(folder.path)/state/store.sqlite"
        let all = Set((1...20).map(String.init))
        let first = try await start(broker, store)
        for number in 1...20 { try await Command.publish("t/x", String(number), port: broker.port, "-q", "1") }
        // In the middle: the quick one is through, and that is noted; the slow one is not.
        #expect(try await eventually(within: .seconds(10)) { calls(first, "quick").count == 20 })
        #expect(try await eventually(within: .seconds(10)) { try progress(store, of: "quick") })
        first.kill()
        _ = try await first.wait()
        let before = Set(calls(first, "slow").map(\.payload))
        #expect(before.count < 20)

        let second = try await start(broker, store)
        let wanted = all.subtracting(before)
        #expect(
            try await eventually(within: .seconds(20)) { wanted.isSubset(of: calls(second, "slow").map(\.payload)) }
        )
        #expect(try await eventually(within: .seconds(20)) { try isEmpty(store) })
        #expect(calls(second, "quick") == [])
        let again = calls(second, "slow")
        #expect(again.allSatisfy { $0.attempt == 2 })
        // One whose end was not noted yet may be among them, and no more.
        #expect(again.count <= wanted.count + 1)
        #expect(again.map(\.payload) == again.map(\.payload).sorted { Int($0)! < Int($1)! })
        #expect(calls(second, "failing").allSatisfy { $0.attempt > 1 })
        second.signal(SIGTERM)
        _ = try await second.wait()
        let letters = try SQLiteStore.openForOperator(path: store).deadLetters(.all, limit: 100)
        #expect(letters.count == 20)
        #expect(letters.allSatisfy { $0.listener == "failing" && $0.topic == "t/x" && $0.attempts == 3 })
    }

    /// Whether everything that is in the store is noted as finished by a listener.
    private func progress(_ path: String, of listener: String) throws -> Bool {
        let store = try SQLiteStore.openForOperator(path: path)
        defer { store.close() }
        let entries = try store.inbound(after: 0, limit: 100, bytes: 1 << 20)
        return !entries.isEmpty && entries.allSatisfy { $0.progress[listener]?.isFinished == true }
    }

    private func isEmpty(_ path: String) throws -> Bool {
        let store = try SQLiteStore.openForOperator(path: path)
        defer { store.close() }
        return try store.status().messages == 0
    }
}

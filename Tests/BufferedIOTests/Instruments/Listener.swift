import BufferedIO
import Foundation
import Logging
import Mosquitto
import TestSupport

/// Remembers what a client brings. Its client has buffered reads and writes, unless
/// ``BufferedIO/environmentVariable`` says otherwise.
final class Listener: ClientDelegate {
    private struct State {
        var messages: [Message] = []
        var connections = 0
        var subscriptions = 0
        var disconnections: [ClientError?] = []
        var thread = ""
    }

    private let state = Locked(State())
    private let onConnected: @Sendable () -> Void
    private let onMessages: @Sendable ([Message]) -> Void

    /// Both are called on the client's thread, which does nothing else meanwhile.
    init(
        onConnected: @escaping @Sendable () -> Void = {},
        onMessages: @escaping @Sendable ([Message]) -> Void = { _ in }
    ) {
        BufferedIO.enable()
        self.onConnected = onConnected
        self.onMessages = onMessages
    }

    func client(_ client: Client, received messages: [Message]) -> ReceiveDecision {
        onMessages(messages)
        state.withLock { $0.messages += messages }
        return .acknowledge
    }

    func client(_ client: Client, noticed event: ClientEvent) {
        switch event {
        case .connected:
            let thread = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? ""
            state.withLock { state in
                state.connections += 1
                state.thread = thread
            }
            onConnected()
        case .subscribed: state.withLock { $0.subscriptions += 1 }
        case .disconnected(let error): state.withLock { $0.disconnections.append(error) }
        default: break
        }
    }

    var messages: [Message] { state.withLock { $0.messages } }
    var count: Int { state.withLock { $0.messages.count } }
    var numbers: [Int] { messages.map(\.number) }
    var connections: Int { state.withLock { $0.connections } }
    var disconnections: [ClientError?] { state.withLock { $0.disconnections } }

    /// What the client's thread has asked of the system so far.
    var systemCalls: SystemCalls { get throws { try SystemCalls(ofThread: state.withLock { $0.thread }) } }

    func connected(_ count: Int = 1) async throws {
        try await wait(for: "\(count) connections") { $0.connections >= count }
    }

    func subscribed() async throws {
        try await wait(for: "subscribed") { $0.state.withLock { $0.subscriptions > 0 } }
    }

    /// - Throws: `FaultKitError` when the condition does not hold in time.
    func wait(
        for what: String,
        within limit: Duration = .seconds(30),
        until condition: (Listener) throws -> Bool
    ) async throws {
        guard try await !eventually(within: limit, { try condition(self) }) else { return }
        throw FaultKitError("not within \(limit.patient): \(what); \(count) messages, ends: \(disconnections)")
    }
}

/// Runs a client for as long as `body` runs, then sees to it that it ends, and in time.
func withClient<Value: Sendable>(
    to port: Int,
    options: ClientOptions = .quick(),
    subscriptions: [SubscriptionRequest] = [],
    listener: Listener = Listener(),
    _ body: (Client, Listener) async throws -> Value
) async throws -> Value {
    let client = try Client(
        brokers: [try BrokerURL("mqtt://127.0.0.1:\(port)")],
        options: options,
        subscriptions: subscriptions,
        delegate: listener,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
    // One for each call, which awaits it below.
    let run = Task { try await client.run() }
    let value: Value
    do {
        value = try await body(client, listener)
    } catch {
        run.cancel()
        try? await withTimeLimit(.seconds(20), "run() returns") { try await run.value }
        throw error
    }
    run.cancel()
    try await withTimeLimit(.seconds(20), "run() returns") { try await run.value }
    return value
}

extension ClientOptions {
    /// Options with pauses of at most 50 ms, so that tests do not wait, and room for all that a test publishes.
    static func quick(_ version: ProtocolVersion = .v5, _ change: (inout ClientOptions) -> Void = { _ in }) -> Self {
        var options = ClientOptions(clientID: randomClientID())
        options.version = version
        options.reconnect.backoff.shortest = .milliseconds(10)
        options.reconnect.backoff.longestLocal = .milliseconds(50)
        options.limits.queueCapacity = 50_000
        change(&options)
        return options
    }
}

extension Message {
    /// A message that its payload tells apart.
    static func numbered(_ number: Int, topic: String = "a", qos: QoS, padding: Int = 30) -> Message {
        let payload = Array("\(number) ".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: padding)
        return Message(topic: topic, payload: payload, qos: qos)
    }

    /// The number that the payload begins with; -1 where there is none.
    var number: Int { Int(String(decoding: payload.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)) ?? -1 }
}

import Foundation
import Logging
import TestSupport
import Testing

@testable import Mosquitto

/// Runs a client for as long as `body` runs, then sees to it that it ends, and in time.
func withClient<Value: Sendable>(
    to urls: [String],
    options: ClientOptions = .quick(),
    subscriptions: [SubscriptionRequest] = [],
    recorder: Recorder = Recorder(),
    _ body: (Client, Recorder) async throws -> Value
) async throws -> Value {
    let client = try Client(
        brokers: try urls.map { try BrokerURL($0) },
        options: options,
        subscriptions: subscriptions,
        delegate: recorder,
        logger: .silent
    )
    let run = Task { try await client.run() }
    let result: Result<Value, any Error>
    do { result = .success(try await body(client, recorder)) } catch { result = .failure(error) }
    run.cancel()
    let end = await Result { try await withTimeLimit(.seconds(30), "run() returns") { try await run.value } }
    let value = try result.get()
    try end.get()
    return value
}

/// The same, with one broker.
func withClient<Value: Sendable>(
    to url: String,
    options: ClientOptions = .quick(),
    subscriptions: [SubscriptionRequest] = [],
    recorder: Recorder = Recorder(),
    _ body: (Client, Recorder) async throws -> Value
) async throws -> Value {
    try await withClient(to: [url], options: options, subscriptions: subscriptions, recorder: recorder, body)
}

/// Runs a client until it gives up by itself, and returns why.
func failureOfClient(
    to url: String,
    options: ClientOptions = .quick(),
    recorder: Recorder = Recorder(),
    within limit: Duration = .seconds(30)
) async throws -> ClientError {
    let client = try Client(
        brokers: [try BrokerURL(url)],
        options: options,
        delegate: recorder,
        logger: .silent
    )
    return try await withTimeLimit(limit, "run() fails") {
        do { try await client.run() } catch let error as ClientError { return error }
        throw FaultKitError("run() returned without an error; events: \(recorder.events)")
    }
}

extension ClientOptions {
    /// Options with pauses of at most 50 ms, so that tests do not wait; only a refused login and poison pause long.
    static func quick(_ version: ProtocolVersion = .v5, clientID: String = randomClientID()) -> ClientOptions {
        var options = ClientOptions(clientID: clientID)
        options.version = version
        options.reconnect.backoff.shortest = .milliseconds(10)
        options.reconnect.backoff.longest = .milliseconds(50)
        options.reconnect.backoff.longestLocal = .milliseconds(50)
        return options
    }

    /// These, changed.
    func with(_ change: (inout ClientOptions) -> Void) -> ClientOptions {
        var options = self
        change(&options)
        return options
    }
}

extension MosquittoBroker {
    /// Where it is, for a client.
    var url: String { "mqtt://127.0.0.1:\(port)" }
}

extension FakeBroker {
    /// Where it is, for a client.
    var url: String { "mqtt://127.0.0.1:\(port)" }
}

extension TCPProxy {
    /// Where it is, for a client.
    var url: String { "mqtt://127.0.0.1:\(port)" }
}

extension Trait where Self == ConditionTrait {
    /// Where there is no mosquitto the test is skipped; in CI it fails.
    static var needsMosquitto: Self {
        .enabled("mosquitto is not installed") {
            MosquittoBroker.isInstalled || ProcessInfo.processInfo.environment["CI"] != nil
        }
    }

    /// Where packets are not looked at, what one may be is the library's affair, and its words are others.
    static var needsPacketGate: Self {
        .enabled("packets are not looked at: \(PacketGate.obstacle ?? "")") { PacketGate.obstacle == nil }
    }

    /// Where there is no openssl the test is skipped; in CI it fails.
    static var needsOpenSSL: Self {
        .enabled("openssl is not installed") {
            TestCertificates.isOpenSSLInstalled || ProcessInfo.processInfo.environment["CI"] != nil
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

import BufferedIO
import Logging
import TestSupport

@testable import Mosquitto

/// A delegate that remembers all that it hears, and when. Its client has buffered reads and writes, unless
/// ``BufferedIO/environmentVariable`` says otherwise.
final class Recorder: ClientDelegate {
    private struct State {
        var messages: [Message] = []
        var batches = 0
        var acknowledgements = 0
        var events: [(event: ClientEvent, time: ContinuousClock.Instant)] = []
    }

    private let state = Locked(State())
    private let intake: @Sendable ([Message]) -> ReceiveDecision

    /// - Parameter onMessages: Called on the client's thread before the messages are remembered.
    convenience init(onMessages: @escaping @Sendable ([Message]) -> Void = { _ in }) {
        self.init(deciding: { messages in
            onMessages(messages)
            return .acknowledge
        })
    }

    private init(deciding intake: @escaping @Sendable ([Message]) -> ReceiveDecision) {
        BufferedIO.enable()
        self.intake = intake
    }

    /// A recorder that does not remember what `intake` refuses.
    static func deciding(_ intake: @escaping @Sendable ([Message]) -> ReceiveDecision) -> Recorder {
        Recorder(deciding: intake)
    }

    func client(_ client: Client, received messages: [Message]) -> ReceiveDecision {
        guard intake(messages) == .acknowledge else { return .refuse }
        state.withLock { state in
            state.messages += messages
            state.batches += 1
        }
        return .acknowledge
    }

    func clientWroteAcknowledgements(_ client: Client) {
        state.withLock { $0.acknowledgements += 1 }
    }

    func client(_ client: Client, noticed event: ClientEvent) {
        state.withLock { $0.events.append((event, .now)) }
    }

    // MARK: What was heard

    var messages: [Message] { state.withLock { $0.messages } }

    var texts: [String] { messages.map(\.text) }

    /// How many calls brought them.
    var batches: Int { state.withLock { $0.batches } }

    /// How often it was told that acknowledgements were written.
    var acknowledgements: Int { state.withLock { $0.acknowledgements } }

    var events: [ClientEvent] { state.withLock { $0.events.map(\.event) } }

    /// Each connection, and when it was there.
    var connectionTimes: [ContinuousClock.Instant] {
        state.withLock { $0.events.compactMap { if case .connected = $0.event { $0.time } else { nil } } }
    }

    var connections: [ConnectionInfo] {
        events.compactMap { if case .connected(let info) = $0 { info } else { nil } }
    }

    /// The end of each connection; nil where it was asked for.
    var disconnections: [ClientError?] {
        events.compactMap { event -> ClientError?? in
            if case .disconnected(let error) = event { .some(error) } else { nil }
        }
    }

    var retries: [(error: ClientError, attempt: Int, pause: Duration)] {
        events.compactMap { event in
            if case .retrying(let error, let attempt, let pause) = event { (error, attempt, pause) } else { nil }
        }
    }

    var subscriptions: [[SubscriptionResult]] {
        events.compactMap { if case .subscribed(let results) = $0 { results } else { nil } }
    }

    var sessionsLost: Int {
        events.count { if case .sessionLost = $0 { true } else { false } }
    }

    var refusals: [(message: Message, error: ClientError)] {
        events.compactMap { if case .refused(let message, let error, _) = $0 { (message, error) } else { nil } }
    }

    var parks: [ParkReason] {
        events.compactMap { if case .parked(let reason) = $0 { reason } else { nil } }
    }

    var resumptions: Int {
        events.count { if case .resumed = $0 { true } else { false } }
    }

    var stalls: [Stall] {
        events.compactMap { if case .stalled(let stall) = $0 { stall } else { nil } }
    }

    var recoveries: [Stall.Hop] {
        events.compactMap { if case .recovered(let hop, _) = $0 { hop } else { nil } }
    }

    var warnings: [String] {
        events.compactMap { if case .insecure(let text) = $0 { text } else { nil } }
    }

    // MARK: Waiting

    /// Waits until the condition holds.
    ///
    /// - Throws: `FaultKitError` with all events when it does not in time.
    func wait(
        for what: String,
        within limit: Duration = .seconds(30),
        until condition: (Recorder) throws -> Bool
    ) async throws {
        guard try await !eventually(within: limit, { try condition(self) }) else { return }
        throw FaultKitError("not within \(limit.patient): \(what); \(messages.count) messages; events: \(events)")
    }

    func connected(_ count: Int = 1, within limit: Duration = .seconds(30)) async throws {
        try await wait(for: "\(count) connections", within: limit) { $0.connections.count >= count }
    }

    func parked(_ count: Int = 1, within limit: Duration = .seconds(30)) async throws {
        try await wait(for: "parked \(count) times", within: limit) { $0.parks.count >= count }
    }

    func subscribed(_ count: Int = 1, within limit: Duration = .seconds(30)) async throws {
        try await wait(for: "subscribed \(count) times", within: limit) { $0.subscriptions.count >= count }
    }

    @discardableResult
    func received(_ count: Int, within limit: Duration = .seconds(30)) async throws -> [Message] {
        try await wait(for: "\(count) messages", within: limit) { $0.messages.count >= count }
        return messages
    }

    /// The reason of the first attempt that failed.
    func firstFailure(within limit: Duration = .seconds(30)) async throws -> ClientError {
        try await wait(for: "a failed attempt", within: limit) { !$0.retries.isEmpty }
        return retries[0].error
    }
}

extension Logger {
    /// Says nothing.
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

import AsyncEventBus
import Dispatch
import Foundation
import Locking
import Logging
import MQTTBridge
import Mosquitto
import ServiceLifecycle

/// Emits what standard input says, one line of JSON an event.
struct StandardInputService: Service {
    /// The most lines that wait for their last answer; beyond that no more are read.
    private static let answerLimit = 65_536

    let bus: EventBus
    /// Where each line is answered; nil for nowhere.
    let answers: EventOutput?

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            let lines = LineReader()
            let pending = PendingAnswers(limit: Self.answerLimit)
            var number = 0
            while let line = await lines.next() {
                number += 1
                guard !line.allSatisfy(\.isWhitespace) else { continue }
                do {
                    let command = try EmitLine(line)
                    guard let answers else {
                        try await bus.send(command.name, command.payload, attributes: command.attributes)
                        continue
                    }
                    try await pending.waitForRoom()
                    let receipt = try await bus.sendTracked(
                        command.name,
                        command.payload,
                        attributes: command.attributes
                    )
                    pending.began()
                    Answer(line: number, receipt: receipt).follow(to: answers) { pending.ended() }
                } catch let error as EmitLine.Mistake {
                    StandardError.write("mqtt-bridge: standard input, line \(number): \(error.text)")
                    answers?.enqueue(line: Answer.refusal(line: number, error: error.text))
                }
            }
            // The end of the input is not the end of the daemon.
            try await gracefulShutdown()
        }
    }
}

/// A line of standard input: `{"event": NAME, "payload": VALUE}`, and optionally `content_type`, `payload_base64` and
/// `headers`. A payload that is no string is sent as the JSON that stands there.
struct EmitLine {
    struct Mistake: Error {
        let text: String
    }

    let name: EventName
    let payload: Payload
    let attributes: EventAttributes

    private static let known: Set<String> = ["event", "payload", "payload_base64", "content_type", "headers"]

    init(_ line: String) throws {
        guard let members = JSONText.members(Array(line.utf8)) else {
            throw Mistake(text: "not a JSON object; write {\"event\": \"a.b\", \"payload\": \"text\"}")
        }
        if let unknown = members.keys.sorted().first(where: { !Self.known.contains($0) }) {
            throw Mistake(text: "unknown key \"\(escapedForLog(unknown))\"; known are \(Self.known.sorted())")
        }
        guard let text = members["event"].flatMap(JSONText.text) else {
            throw Mistake(text: "\"event\" is missing or no string")
        }
        do {
            name = try EventName(text)
        } catch {
            throw Mistake(text: escapedForLog("\(error)", limit: 400))
        }
        payload = try Self.payload(members)
        var attributes = EventAttributes(contentType: members["content_type"].flatMap(JSONText.text))
        if let headers = members["headers"] {
            guard let pairs = JSONText.members(Array(headers)) else {
                throw Mistake(text: "\"headers\" is no object; write {\"name\": \"value\"}")
            }
            attributes.headers = pairs.keys.sorted().compactMap { name in
                pairs[name].map { .init(name, JSONText.text($0) ?? String(decoding: $0, as: UTF8.self)) }
            }
        }
        self.attributes = attributes
    }

    private static func payload(_ members: [String: ArraySlice<UInt8>]) throws -> Payload {
        if let encoded = members["payload_base64"] {
            guard members["payload"] == nil, let bytes = JSONText.text(encoded).flatMap({ Data(base64Encoded: $0) })
            else {
                throw Mistake(text: "\"payload_base64\" is no base64, or stands beside \"payload\"")
            }
            return Payload(Array(bytes))
        }
        guard let value = members["payload"] else { return .empty }
        return JSONText.text(value).map { Payload($0) } ?? Payload(Array(value))
    }
}

/// Reads standard input line by line on a thread that may block; one line ahead at most.
final class LineReader: Sendable {
    private let queue = DispatchQueue(label: "standard-input")
    private let waiting = Locked<CheckedContinuation<String?, Never>?>(nil)

    /// The next line, or nil at the end. A cancelled reader sees the end; the line that comes later is lost with it.
    func next() async -> String? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiting.withLock { $0 = continuation }
                if Task.isCancelled { return resume(nil) }
                queue.async { [self] in resume(readLine()) }
            }
        } onCancel: {
            resume(nil)
        }
    }

    private func resume(_ line: String?) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(returning: line)
    }
}

/// Rules for topics and topic filters (MQTT 5, sections 1.5.4 and 4.7; libmosquitto 2.0.11, utf8_mosq.c and
/// util_topic.c; mosquitto's limit on levels, config.h).
public enum TopicRules {
    /// The longest topic, in bytes of UTF-8.
    public static let maximumLength = 65_535
    /// The most separators in a topic: mosquitto disconnects a client that sends more.
    public static let maximumSeparators = 200

    /// Checks a topic for publishing.
    ///
    /// - Throws: ``ClientError`` with code ``ClientError/Code/invalidTopic``.
    public static func check(topic: String) throws(ClientError) {
        try checkText(topic, operation: "publish")
        guard !topic.utf8.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }) else {
            throw failure("publish", topic, "+ and # are wildcards and cannot be part of a topic")
        }
    }

    /// Checks a topic filter for subscribing.
    ///
    /// - Throws: ``ClientError`` with code ``ClientError/Code/invalidTopic``.
    public static func check(filter: String) throws(ClientError) {
        try checkText(filter, operation: "subscribe")
        // By bytes, like brokers: Swift merges a separator and a combining mark into one `Character`.
        let (plus, hash) = (UInt8(ascii: "+"), UInt8(ascii: "#"))
        let levels = filter.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (position, level) in levels.enumerated() where level.contains(plus) || level.contains(hash) {
            guard level.elementsEqual([plus]) || (level.elementsEqual([hash]) && position == levels.count - 1) else {
                throw failure("subscribe", filter, "+ must be a whole level, # the last one")
            }
        }
    }

    private static func checkText(_ text: String, operation: String) throws(ClientError) {
        var separators = 0
        guard !text.isEmpty else { throw failure(operation, text, "a topic cannot be empty") }
        guard text.utf8.count <= maximumLength else {
            throw failure(operation, text, "longer than \(maximumLength) bytes")
        }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0: throw failure(operation, text, "holds the NUL character")
            case 0x01...0x1F, 0x7F...0x9F: throw failure(operation, text, "holds a control character")
            case 0xFDD0...0xFDEF: throw failure(operation, text, "holds a code point that is not a character")
            case let value where value & 0xFFFE == 0xFFFE:
                throw failure(operation, text, "holds a code point that is not a character")
            case 0x2F: separators += 1
            default: break
            }
        }
        guard separators <= maximumSeparators else {
            throw failure(operation, text, "more than \(maximumSeparators) levels deep")
        }
    }

    private static func failure(_ operation: String, _ topic: String, _ detail: String) -> ClientError {
        ClientError(.invalidTopic, operation: "\(operation) \"\(escapedForLog(topic, limit: 80))\"", detail: detail)
    }
}

/// What was counted or timed, by its unit.
enum Metric: String, Encodable {
    case messagesPerSecond = "msg/s"
    case processorMicroseconds = "CPU µs per message"
    case acknowledgementsPerRead = "acks per read"
    /// Messages that were dropped, of a hundred.
    case droppedPercent = "% dropped"
    case medianDelay = "µs, median"
    case ninetyNinthDelay = "µs, p99"
    case maximumDelay = "µs, maximum"
    /// Messages of another topic, meanwhile.
    case floodPerSecond = "msg/s of the flood"
    case nanosecondsPerDelivery = "ns per delivery"
    case nanosecondsPerTopic = "ns per topic"
    case systemCalls = "system calls per message"
    case synchronizations = "syncs per message"
    case writtenBytes = "bytes written per message"
    case allocations = "allocations per message"
    case instructions = "instructions per message"
    case idleMebibytes = "MiB before the first message"
    case warmMebibytes = "MiB after a tenth"
    case endMebibytes = "MiB after the last"
    case grownMebibytes = "MiB more than after a tenth"
    case startMilliseconds = "ms to SUBSCRIBE"
    case startMebibytes = "MiB at most until then"

    /// What one run found.
    typealias Sample = [Metric: Double]
}

/// What is wanted of a figure.
struct Target {
    let limit: Double
    let isAtLeast: Bool
    /// Whether it is the ratio to the reference that counts, not the figure itself.
    let isRatio: Bool

    /// The ratio, or more.
    static func atLeast(_ ratio: Double) -> Target { Target(limit: ratio, isAtLeast: true, isRatio: true) }
    /// The ratio, or less.
    static func atMost(_ ratio: Double) -> Target { Target(limit: ratio, isAtLeast: false, isRatio: true) }
    /// The figure itself, or less.
    static func below(_ value: Double) -> Target { Target(limit: value, isAtLeast: false, isRatio: false) }

    func isMet(value: Double, ratio: Double?) -> Bool {
        let figure = isRatio ? ratio ?? .nan : value
        return isAtLeast ? figure >= limit : figure <= limit
    }

    var text: String { "\(isAtLeast ? "≥" : "≤") \(Digits.grouped(limit))\(isRatio ? " ×" : "")" }
}

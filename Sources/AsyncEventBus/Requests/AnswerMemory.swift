import DequeModule

/// The latest answers of one listener, for requests that arrive again. Bounded in number and in bytes. Pure.
struct AnswerMemory: Sendable {
    /// A response as it was emitted.
    struct Answer: Sendable {
        let payload: Payload
        let attributes: EventAttributes

        var size: Int { payload.size + attributes.size }
    }

    enum Finding: Sendable {
        /// The request is new, and now counts as running.
        case new
        /// The request is being answered.
        case running
        case answered(Answer)
    }

    /// Who asks: the same correlation of another asker is another request.
    struct Key: Hashable, Sendable {
        let replyTo: ExactText
        let correlation: [UInt8]
    }

    private static let (most, mostBytes) = (1_024, 1 << 20)

    private var known: [Key: Answer?] = [:]
    private var order: Deque<Key> = []
    private var bytes = 0

    /// Looks a request up; a new one counts as running.
    mutating func find(_ key: Key) -> Finding {
        if let answer = known[key] { return answer.map(Finding.answered) ?? .running }
        known[key] = .some(nil)
        order.append(key)
        forget()
        return .new
    }

    /// Records the answer to a request that counts as running; nil to forget the request.
    mutating func answered(_ key: Key, _ answer: Answer?) {
        guard known[key] != nil else { return }
        guard let answer, answer.size < Self.mostBytes / 16 else {
            known[key] = nil
            return
        }
        known[key] = answer
        bytes += answer.size
        forget()
    }

    private mutating func forget() {
        while order.count > Self.most || bytes > Self.mostBytes, let key = order.popFirst() {
            if case .some(.some(let answer)) = known.removeValue(forKey: key) { bytes -= answer.size }
        }
    }
}

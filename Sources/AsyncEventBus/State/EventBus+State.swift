import Locking

extension EventBus {
    /// Returns the latest values of a topic, which the bus collects from the first call for the topic on.
    ///
    /// ```swift
    /// let pumps = bus.state(Site.pump)                  // before the bridge runs, so that no retained message is missed
    /// if pumps["p1"]?.isRunning == true { … }
    /// for await (id, pump) in pumps.updates() { … }     // what is there, then each change
    /// ```
    ///
    /// So a reader that comes late gets the values that came before it. Retained messages of a broker become values like any
    /// others: a bridge makes no event of one that it has passed on already. A payload that is no value of the topic changes
    /// nothing, and is reported as the failure of a listener with the name `state`.
    ///
    /// Bounded by ``TopicState/mostValues`` and ``TopicState/mostBytes``. Values are kept as long as the bus; further calls
    /// return the same object.
    public func state<Value>(_ topic: Topic<Value>) -> TopicState<Value> {
        let key = StateKey(template: ExactText(topic.template.text), type: ObjectIdentifier(Value.self))
        let (state, isNew) = states.withLock { states in
            if let known = states[key] as? TopicState<Value> { return (known, false) }
            let state = TopicState(topic) { [weak self] in self?.report($0) }
            states[key] = state
            return (state, true)
        }
        if isNew { registry.withLock { $0.add(Receiver(state), to: topic.template.pattern) } }
        return state
    }
}

/// Identifies the state of a topic.
struct StateKey: Hashable, Sendable {
    let template: ExactText
    let type: ObjectIdentifier
}

extension EventTemplate {
    /// The captures of a name that matches, as they are spelled in it, joined by dots.
    func id(of name: EventName) -> String {
        let segments = name.escapedSegments
        var captured: [Substring] = []
        for (position, part) in template.parts.enumerated() {
            switch part {
            case .literal: break
            case .capture: captured.append(segments[position])
            case .rest: captured += segments.dropFirst(position)
            }
        }
        return captured.joined(separator: ".")
    }
}

extension Payload {
    /// Whether there are no bytes. A value has some.
    var isEmpty: Bool { value == nil && size == 0 }

    /// Whether both are known to be equal: the same bytes, or values that say so.
    func isSame(as other: Payload) -> Bool {
        switch (value, other.value) {
        case (nil, nil): return bytes == other.bytes
        case (let left?, let right?):
            if left === right { return true }
            guard let left = left.value as? any Equatable else { return false }
            return left.isEqual(to: right.value)
        default: return false
        }
    }
}

extension Equatable {
    fileprivate func isEqual(to other: any Sendable) -> Bool { (other as? Self) == self }
}

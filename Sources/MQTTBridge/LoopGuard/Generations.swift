/// A bounded dictionary that forgets the entries that were not set recently, a whole generation at a time.
struct Generations<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var current: [Key: Value] = [:]
    private var previous: [Key: Value] = [:]

    /// - Parameter capacity: The minimum number of most recent entries that are kept; the maximum is twice as many.
    init(capacity: Int = 16_384) {
        self.capacity = capacity
    }

    subscript(key: Key) -> Value? {
        get { current[key] ?? previous[key] }
        set {
            guard let newValue else {
                current[key] = nil
                previous[key] = nil
                return
            }
            if current.count >= capacity, current[key] == nil {
                previous = current
                current = [:]
            }
            current[key] = newValue
        }
    }
}

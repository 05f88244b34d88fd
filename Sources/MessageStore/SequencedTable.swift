/// Values in the order of their sequences. Insertion at the end and removal anywhere take amortised constant time.
struct SequencedTable<Value: Sendable>: Sendable {
    private var values: [Int64: Value] = [:]
    /// The sequences, ascending. Sequences of removed values stay until they are the majority.
    private var order: [Int64] = []

    var count: Int { values.count }

    /// The length of ``order``, removed values included.
    var places: Int { order.count }

    subscript(sequence: Int64) -> Value? {
        get { values[sequence] }
        set {
            guard let newValue else {
                remove(sequence)
                return
            }
            if values.updateValue(newValue, forKey: sequence) == nil { insert(sequence) }
        }
    }

    /// Changes a value in place. Returns nil if there is none.
    mutating func update<Result>(_ sequence: Int64, _ body: (inout Value) -> Result) -> Result? {
        guard let index = values.index(forKey: sequence) else { return nil }
        return body(&values.values[index])
    }

    /// Calls `body` for the values above a sequence, in ascending order, until it returns false.
    func forEach(after sequence: Int64 = .min, _ body: (Int64, Value) -> Bool) {
        for index in position(above: sequence)..<order.count {
            if let value = values[order[index]], !body(order[index], value) { return }
        }
    }

    /// The highest sequence.
    var last: Int64? { order.last { values[$0] != nil } }

    private mutating func insert(_ sequence: Int64) {
        guard let last = order.last, last >= sequence else {
            order.append(sequence)
            return
        }
        let position = position(above: sequence)
        // The sequence of a removed value may still be present.
        if position == 0 || order[position - 1] != sequence { order.insert(sequence, at: position) }
    }

    private mutating func remove(_ sequence: Int64) {
        guard values.removeValue(forKey: sequence) != nil else { return }
        if order.count > 64 && order.count > 2 * values.count {
            order.removeAll { values[$0] == nil }
        }
    }

    /// The index of the first sequence above `sequence`, by binary search.
    private func position(above sequence: Int64) -> Int {
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if order[middle] <= sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// The values of one pattern, in order of arrival as long as none is removed. Searches few values linearly, many by
/// hash.
struct ValueSet<Value: Hashable & Sendable>: Sendable {
    /// The largest number of values to search linearly.
    private static var fewest: Int { 8 }

    private(set) var values: [Value] = []
    /// The value if there is only one. Separate, since a look-up finds it sooner here than in the array.
    private(set) var only: Value?
    private var positions: [Value: Int] = [:]

    /// Adds a value. Returns whether it was new.
    mutating func insert(_ value: Value) -> Bool {
        guard position(of: value) == nil else { return false }
        values.append(value)
        only = values.count == 1 ? value : nil
        if values.count == Self.fewest + 1 {
            positions = Dictionary(uniqueKeysWithValues: zip(values, values.indices))
        } else if values.count > Self.fewest {
            positions[value] = values.count - 1
        }
        return true
    }

    /// Removes a value; the last one takes its position. Returns whether it was there.
    mutating func remove(_ value: Value) -> Bool {
        guard let position = position(of: value) else { return false }
        values.swapAt(position, values.count - 1)
        values.removeLast()
        only = values.count == 1 ? values[0] : nil
        if values.count <= Self.fewest {
            positions = [:]
        } else {
            positions[value] = nil
            if position < values.count { positions[values[position]] = position }
        }
        return true
    }

    private func position(of value: Value) -> Int? {
        values.count > Self.fewest ? positions[value] : values.firstIndex(of: value)
    }
}

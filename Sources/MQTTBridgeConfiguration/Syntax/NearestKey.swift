/// Suggests a known key for an unknown key.
enum NearestKey {
    /// Returns the known key with the smallest edit distance; nil if that distance is too large.
    static func suggestion(for key: String, among known: [String]) -> String? {
        guard key.utf8.count <= 40 else { return nil }
        let lowered = key.lowercased().replacing("-", with: "_")
        let best = known.map { (name: $0, distance: distance(lowered, $0)) }.min { $0.distance < $1.distance }
        guard let best, best.distance <= max(1, best.name.utf8.count / 3) else { return nil }
        return best.name
    }

    /// Returns the edit distance with insertion, deletion, substitution and transposition (optimal string alignment), in
    /// bytes.
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        var table = [Array(0...right.count)]
        for row in 0..<left.count {
            var line = [row + 1]
            for column in 0..<right.count {
                var best = min(table[row][column + 1], line[column]) + 1
                best = min(best, table[row][column] + (left[row] == right[column] ? 0 : 1))
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    best = min(best, table[row - 1][column - 1] + 1)
                }
                line.append(best)
            }
            table.append(line)
        }
        return table[left.count][right.count]
    }
}

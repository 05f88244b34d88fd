import AsyncEventBus
import Mosquitto

/// A set of wildcard filters, no two of which overlap.
struct SeparateFilters {
    private(set) var all: [(levels: [String], qos: QoS)?] = []
    private var index = TemplateIndex()

    var filters: [(levels: [String], qos: QoS)] { all.compactMap { $0 } }

    /// Adds a filter, merged with all filters that it overlaps.
    mutating func add(_ levels: [String], _ qos: QoS) {
        var (levels, qos) = (levels, qos)
        while let position = position(overlapping: levels), let other = all[position] {
            index.remove(position)
            all[position] = nil
            (levels, qos) = (Self.cover(other.levels, levels), max(other.qos, qos))
        }
        index.insert(all.count, Self.parts(levels))
        all.append((levels, qos))
    }

    /// Raises the QoS of the filter that covers these levels, which have no wildcards. Returns false if there is none.
    mutating func raise(_ levels: [String], to qos: QoS) -> Bool {
        guard let position = position(overlapping: levels), let known = all[position] else { return false }
        all[position] = (known.levels, max(known.qos, qos))
        return true
    }

    private func position(overlapping levels: [String]) -> Int? {
        index.first(overlapping: Self.parts(levels)) { index[$0].first }
    }

    /// The narrowest filter that covers both filters.
    private static func cover(_ left: [String], _ right: [String]) -> [String] {
        var result: [String] = []
        for position in 0..<max(left.count, right.count) {
            guard position < left.count, position < right.count, left[position] != "#", right[position] != "#" else {
                return result + ["#"]
            }
            result.append(same(left[position], right[position]) ? left[position] : "+")
        }
        return result
    }

    private static func same(_ left: String, _ right: String) -> Bool { ExactText(left) == ExactText(right) }

    /// The filter as a template for the index, which ignores the names of captures.
    static func parts(_ levels: [String]) -> [Template.Part] {
        levels.map { $0 == "+" ? .capture("") : $0 == "#" ? .rest("") : .literal($0) }
    }
}

internal import FaultKit

/// The number of power cuts after each event of a record. Moments are more likely if more can go wrong between them and
/// the next sync.
struct Moments {
    /// The number of power cuts right after each event.
    private(set) var cuts: [Int]

    init(of events: [MediumEvent], after begin: Int, images: Int, random: inout SplitMix64) {
        var paths: [Int: String] = [:]
        var sums: [Int] = []
        var sum = 0
        for (index, event) in events.enumerated() {
            if case .created(let file, let path) = event { paths[file] = path }
            let next = index + 1 < events.count ? events[index + 1] : nil
            if index >= begin { sum += Self.weight(event, next: next, paths) }
            sums.append(sum)
        }
        cuts = Array(repeating: 0, count: events.count)
        var left = images
        while left > 0, sum > 0 {
            let count = min(left, 1 + random.below(7))
            let place = random.below(sum)
            cuts[sums.partitioningIndex { $0 > place }] += count
            left -= count
        }
    }

    private static func weight(_ event: MediumEvent, next: MediumEvent?, _ paths: [Int: String]) -> Int {
        var weight = 1
        // Before a sync, all pending changes, none or any part of them may be on the medium.
        if case .synchronized = next { weight += 12 }
        switch event {
        case .written(let file, let offset, _):
            if paths[file]?.hasSuffix("-wal") != true { weight += 3 } else if offset == 0 { weight += 8 }
        case .returned, .truncated: weight += 8
        case .folderMade, .created, .linked, .renamed, .removed, .folderSynchronized: weight += 8
        case .synchronized: weight += 2
        case .began: break
        }
        return weight
    }
}

extension [Int] {
    /// Returns the first index whose element meets a condition that all later elements meet as well.
    fileprivate func partitioningIndex(where condition: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

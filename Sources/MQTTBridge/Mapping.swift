import AsyncEventBus

/// Turns the parts of one template into the parts of another that has the same captures.
struct Mapping: Sendable, Hashable {
    let source: Template
    let target: Template

    /// The parts of the target, for parts that fit the source; nil where they do not fit.
    func callAsFunction(_ parts: [String]) -> [String]? {
        guard let captured = capture(parts) else { return nil }
        var result: [String] = []
        result.reserveCapacity(parts.count)
        for part in target.parts {
            switch part {
            case .literal(let text): result.append(text)
            case .capture(let name), .rest(let name): result += captured[name] ?? []
            }
        }
        return result
    }

    /// What each capture of the source stands for in these parts.
    func capture(_ parts: [String]) -> [String: ArraySlice<String>]? {
        var captured: [String: ArraySlice<String>] = [:]
        for (position, part) in source.parts.enumerated() {
            if case .rest(let name) = part {
                // Zero parts are left for it at most once: a list of parts is never shorter than the fixed ones.
                guard position <= parts.count else { return nil }
                captured[name] = parts[position...]
                return captured
            }
            guard position < parts.count else { return nil }
            switch part {
            case .literal(let text): guard ExactText(text) == ExactText(parts[position]) else { return nil }
            case .capture(let name): captured[name] = parts[position...position]
            case .rest: break
            }
        }
        return parts.count == source.parts.count ? captured : nil
    }
}

import AsyncEventBus

/// Maps the parts of one template to the parts of another template with the same captures.
struct Mapping: Sendable, Hashable {
    let source: Template
    let target: Template

    /// The parts of the target; nil if `parts` do not match the source.
    func callAsFunction(_ parts: [String]) -> [String]? {
        guard source.matches(parts) else { return nil }
        var result: [String] = []
        result.reserveCapacity(parts.count)
        for part in target.parts {
            switch part {
            case .literal(let text): result.append(text)
            // A linear search beats hashing for the few parts of a template.
            case .capture(let name): result += source.position(of: name).map { parts[$0...$0] } ?? []
            case .rest(let name): result += source.position(of: name).map { parts[$0...] } ?? []
            }
        }
        return result
    }

    /// The parts that each capture of the source takes; nil if `parts` do not match the source.
    func capture(_ parts: [String]) -> [String: ArraySlice<String>]? {
        guard source.matches(parts) else { return nil }
        var captured: [String: ArraySlice<String>] = [:]
        for (position, part) in source.parts.enumerated() {
            switch part {
            case .literal: break
            case .capture(let name): captured[name] = parts[position...position]
            case .rest(let name): captured[name] = parts[position...]
            }
        }
        return captured
    }
}

extension Template {
    fileprivate func position(of capture: String) -> Int? { parts.firstIndex { $0.captureName == capture } }
}

import AsyncEventBus

/// Turns the parts of one template into the parts of another that has the same captures.
struct Mapping: Sendable, Hashable {
    let source: Template
    let target: Template

    /// The parts of the target, for parts that fit the source; nil where they do not fit.
    func callAsFunction(_ parts: [String]) -> [String]? {
        guard fits(parts) else { return nil }
        var result: [String] = []
        result.reserveCapacity(parts.count)
        for part in target.parts {
            switch part {
            case .literal(let text): result.append(text)
            // Few parts are searched sooner than hashed.
            case .capture(let name): result += source.position(of: name).map { parts[$0...$0] } ?? []
            case .rest(let name): result += source.position(of: name).map { parts[$0...] } ?? []
            }
        }
        return result
    }

    /// Whether parts fit the source.
    private func fits(_ parts: [String]) -> Bool {
        // A rest may be nothing.
        guard source.hasRest ? parts.count >= source.parts.count - 1 : parts.count == source.parts.count else {
            return false
        }
        for (position, part) in source.parts.enumerated() {
            if case .literal(let text) = part, ExactText(text) != ExactText(parts[position]) { return false }
        }
        return true
    }

    /// What each capture of the source stands for in these parts; nil where they do not fit.
    func capture(_ parts: [String]) -> [String: ArraySlice<String>]? {
        guard fits(parts) else { return nil }
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
    /// Where a capture stands.
    fileprivate func position(of capture: String) -> Int? { parts.firstIndex { $0.captureName == capture } }
}

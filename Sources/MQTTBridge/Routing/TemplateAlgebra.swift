import AsyncEventBus

/// A template as a list of terms for unification, which decides about all texts that templates match.
///
/// Each unknown stands for one part; the tail stands for any number of parts.
struct PartList {
    enum Term: Hashable {
        case text(ExactText)
        case unknown(Int)
    }

    var terms: [Term]
    /// The unknown that stands for all remaining parts; nil if there must not be any.
    var tail: Int?
}

/// Unifies part lists: finds out whether templates overlap, and what the overlap maps to. Use a new one for each
/// question.
struct Unifier {
    private var parts: [Int: PartList.Term] = [:]
    private var tails: [Int: PartList] = [:]
    private var count = 0

    /// A template with fresh unknowns for its captures, and the unknown of each capture.
    mutating func instantiate(_ template: Template) -> (list: PartList, captures: [String: Int]) {
        var captures: [String: Int] = [:]
        var list = PartList(terms: [], tail: nil)
        for part in template.parts {
            switch part {
            case .literal(let text): list.terms.append(.text(ExactText(text)))
            case .capture(let name):
                captures[name] = fresh()
                list.terms.append(.unknown(captures[name, default: 0]))
            case .rest(let name):
                captures[name] = fresh()
                list.tail = captures[name]
            }
        }
        return (list, captures)
    }

    /// A template with the given unknowns for its captures.
    func instantiate(_ template: Template, captures: [String: Int]) -> PartList {
        var list = PartList(terms: [], tail: nil)
        for part in template.parts {
            switch part {
            case .literal(let text): list.terms.append(.text(ExactText(text)))
            case .capture(let name): list.terms.append(.unknown(captures[name] ?? -1))
            case .rest(let name): list.tail = captures[name] ?? -1
            }
        }
        return list
    }

    /// Assumes that both lists are equal. Returns false if they cannot be.
    mutating func unify(_ left: PartList, _ right: PartList) -> Bool {
        let (left, right) = (expand(left), expand(right))
        let common = min(left.terms.count, right.terms.count)
        for position in 0..<common where !unify(left.terms[position], right.terms[position]) { return false }
        let (leftRest, rightRest) = (
            PartList(terms: Array(left.terms.dropFirst(common)), tail: left.tail),
            PartList(terms: Array(right.terms.dropFirst(common)), tail: right.tail)
        )
        return leftRest.terms.isEmpty ? bind(leftRest.tail, to: rightRest) : bind(rightRest.tail, to: leftRest)
    }

    /// Whether both lists are equal for all values of the unknowns that satisfy the assumptions.
    func areIdentical(_ left: PartList, _ right: PartList) -> Bool {
        let (left, right) = (expand(left), expand(right))
        return left.terms.map(resolve) == right.terms.map(resolve) && left.tail == right.tail
    }

    private mutating func fresh() -> Int {
        count += 1
        return count
    }

    private mutating func bind(_ tail: Int?, to rest: PartList) -> Bool {
        guard let tail else {
            guard rest.terms.isEmpty else { return false }
            if let other = rest.tail { tails[other] = PartList(terms: [], tail: nil) }
            return true
        }
        guard rest.tail != tail else { return rest.terms.isEmpty }
        tails[tail] = rest
        return true
    }

    private mutating func unify(_ left: PartList.Term, _ right: PartList.Term) -> Bool {
        switch (resolve(left), resolve(right)) {
        case (.text(let left), .text(let right)): return left == right
        case (.unknown(let unknown), let other), (let other, .unknown(let unknown)):
            if other != .unknown(unknown) { parts[unknown] = other }
            return true
        }
    }

    private func resolve(_ term: PartList.Term) -> PartList.Term {
        var term = term
        while case .unknown(let unknown) = term, let known = parts[unknown] { term = known }
        return term
    }

    private func expand(_ list: PartList) -> PartList {
        var list = list
        while let tail = list.tail, let rest = tails[tail] {
            list.terms += rest.terms
            list.tail = rest.tail
        }
        return list
    }
}

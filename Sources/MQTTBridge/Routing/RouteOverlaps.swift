/// An index of the routes of one broker and direction by source and, for each source, by target. Two routes are
/// compared only if both their sources and their targets overlap.
struct RouteOverlaps {
    private var sources = TemplateIndex()
    private var targets: [TemplateIndex.Place: TemplateIndex] = [:]
    private var count = 0

    /// The first of the routes so far that satisfies `conflicts`.
    ///
    /// - Parameter isAnyEnough: Whether any such route will do, which ends the search at the first hit.
    func first(
        _ source: Template,
        _ target: Template,
        isAnyEnough: Bool,
        where conflicts: (Int) -> Bool
    ) -> Int? {
        var found: Int?
        _ = sources.first(overlapping: source.parts) { place in
            guard let index = targets[place] else { return nil as Int? }
            return index.first(overlapping: target.parts) { place in
                // The list is ascending, so routes beyond the best hit need no check.
                for route in index[place] {
                    if let found, found < route { break }
                    guard conflicts(route) else { continue }
                    found = route
                    break
                }
                return isAnyEnough ? found : nil
            }
        }
        return found
    }

    mutating func insert(_ route: Int, _ source: Template, _ target: Template) {
        let place = sources.insert(route, source)
        targets[place, default: TemplateIndex()].insert(route, target)
    }
}

import MessageStore

/// The numbers of names and of lists of listeners that were used lately.
struct NameCache {
    /// So many of each are kept; then it begins anew.
    private static let limit = 10_000

    private var numbers: [ExactName: Int64] = [:]
    private var names: [Int64: String] = [:]
    private var audienceNumbers: [ExactNames: Int64] = [:]
    private var audiences: [Int64: [String]] = [:]

    func number(of name: String) -> Int64? { numbers[ExactName(name)] }
    func name(_ number: Int64) -> String? { names[number] }
    func number(of audience: [String]) -> Int64? { audienceNumbers[ExactNames(names: audience)] }
    func audience(_ number: Int64) -> [String]? { audiences[number] }

    mutating func keep(_ name: String, _ number: Int64) {
        if names.count >= Self.limit { self = NameCache() }
        numbers[ExactName(name)] = number
        names[number] = name
    }

    mutating func keep(_ audience: [String], _ number: Int64) {
        if audiences.count >= Self.limit { self = NameCache() }
        audienceNumbers[ExactNames(names: audience)] = number
        audiences[number] = audience
    }

    /// Names whose bytes and order count.
    private struct ExactNames: Hashable {
        var names: [String]

        static func == (first: Self, second: Self) -> Bool {
            first.names.elementsEqual(second.names) { ExactName($0) == ExactName($1) }
        }

        func hash(into hasher: inout Hasher) {
            for name in names { ExactName(name).hash(into: &hasher) }
        }
    }
}

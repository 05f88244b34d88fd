/// Why something could not be tried.
struct StoreTestingError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The reason why a test cannot run.
struct StoreTestingError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

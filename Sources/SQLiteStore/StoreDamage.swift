/// What is in the file cannot have been written by a store.
struct StoreDamage: Error {
    /// What was found, without payloads.
    let detail: String
}

import MessageStore

/// Content of the file that no store can have written.
struct StoreDamage: Error {
    /// A description without payloads.
    let detail: String
    /// The damaged message, if the rest of the store is sound.
    var row: StoreRow?
}

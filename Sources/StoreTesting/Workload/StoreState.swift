package import MessageStore

/// The contents of a store after a step, including the identities.
package struct StoreState: Equatable, Sendable {
    package var contents = StoreContents()
    package var seen: [SeenIdentity] = []

    package init() {}

    package init(_ model: StoreModel) {
        contents = model.contents
        seen = model.seen
    }
}

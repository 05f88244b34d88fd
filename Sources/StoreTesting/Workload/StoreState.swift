package import MessageStore

/// What a store holds after a step, the identities included.
package struct StoreState: Equatable, Sendable {
    package var contents = StoreContents()
    package var seen: [SeenIdentity] = []

    package init() {}

    package init(_ model: StoreModel) {
        contents = model.contents
        seen = model.seen
    }
}

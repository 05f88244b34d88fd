/// The identity of an event among all buses: a source, and a tag that is unique within the source.
///
/// All copies of an event have the same identity, however often and by whichever path they arrive. Two emits never
/// share one, not even across a restart, since the source of each bus has a new random part. Compares by bytes.
public struct EventID: Sendable, Hashable {
    enum Tag: Sendable, Hashable {
        /// A number that this process assigned; for its text see ``NumberedTag``.
        case sequence(UInt64)
        case text(ExactText)
    }

    /// The origin of the tag: ``EventBus/source`` for an event that was emitted on a bus of this package.
    public var source: String { exactSource.text }

    private let exactSource: ExactText
    let storage: Tag

    /// Creates an identity that was assigned elsewhere.
    public init(source: String, tag: String) {
        exactSource = ExactText(source)
        // One value for each spelling: a tag of this process that returns as text equals the original.
        storage = NumberedTag.number(of: tag).map { .sequence($0) } ?? .text(ExactText(tag))
    }

    init(source: String, sequence: UInt64) {
        self.init(source: source, storage: .sequence(sequence))
    }

    init(source: String, storage: Tag) {
        exactSource = ExactText(source)
        self.storage = storage
    }

    /// The part that is unique within the source. In events of this package it contains a part that nobody can guess
    /// before the emit.
    public var tag: String {
        switch storage {
        case .sequence(let number): NumberedTag.text(number)
        case .text(let text): text.text
        }
    }
}

extension EventID {
    /// Whether this process assigned the tag; false for a forged tag.
    package var isTagOurs: Bool { if case .sequence = storage { true } else { false } }

    /// The source, a slash and the tag; nil if this process did not assign the tag. Created for each published event,
    /// hence with a single allocation.
    package var numberedText: String? {
        guard case .sequence(let number) = storage else { return nil }
        let source = source.utf8
        return unsafe String(unsafeUninitializedCapacity: source.count + 1 + NumberedTag.mostBytes) { buffer in
            let end = unsafe buffer.initialize(from: source).index
            unsafe buffer[end] = UInt8(ascii: "/")
            return unsafe NumberedTag.write(number, to: buffer, at: end + 1)
        }
    }
}

extension EventID: CustomStringConvertible {
    /// The source and the tag, with a `/` between them.
    public var description: String { "\(source)/\(tag)" }
}

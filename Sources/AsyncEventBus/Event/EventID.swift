/// Identifies one event among all buses: a source, and a tag that is unique within the source.
///
/// Every copy of an event has the same identity, however often and by whichever way it arrives. Two emits never share
/// one, not even across a restart, since the source of a bus has a part that is new in each process. Compared by bytes.
public struct EventID: Sendable, Hashable {
    enum Tag: Sendable, Hashable {
        /// A number that was given in this process; as a text see ``NumberedTag``.
        case sequence(UInt64)
        case text(ExactText)
    }

    /// Who gave the tag: ``EventBus/source`` for an event that was emitted on a bus of this package.
    public var source: String { exactSource.text }

    private let exactSource: ExactText
    let storage: Tag

    /// An identity given elsewhere.
    public init(source: String, tag: String) {
        exactSource = ExactText(source)
        // One spelling, one value: a tag that comes back equals the emit that it was given to.
        storage = NumberedTag.number(of: tag).map { .sequence($0) } ?? .text(ExactText(tag))
    }

    init(source: String, sequence: UInt64) {
        self.init(source: source, storage: .sequence(sequence))
    }

    init(source: String, storage: Tag) {
        exactSource = ExactText(source)
        self.storage = storage
    }

    /// The part that is unique within the source. That of an event of this package has a part that nobody can guess before
    /// the event is emitted.
    public var tag: String {
        switch storage {
        case .sequence(let number): NumberedTag.text(number)
        case .text(let text): text.text
        }
    }
}

extension EventID {
    /// Whether the tag was given in this process, and not by somebody who only says so.
    package var isTagOurs: Bool { if case .sequence = storage { true } else { false } }

    /// The source, a slash and the tag; nil where the tag was not given here. Made for each event that is published, hence
    /// with one allocation.
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

/// Identifies one event among all buses: a source, and a tag that is unique within the source.
///
/// Every copy of an event has the same identity, however often and by whichever way it arrives. Two emits never share
/// one, not even across a restart, since the source of a bus has a part that is new in each process. Compared by bytes.
public struct EventID: Sendable, Hashable {
    enum Tag: Sendable, Hashable {
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
        // One spelling, one value: "17" that comes back from another process equals the 17th emit of that source.
        storage = UInt64(tag).flatMap { String($0) == tag ? .sequence($0) : nil } ?? .text(ExactText(tag))
    }

    init(source: String, sequence: UInt64) {
        self.init(source: source, storage: .sequence(sequence))
    }

    init(source: String, storage: Tag) {
        exactSource = ExactText(source)
        self.storage = storage
    }

    /// The part that is unique within the source.
    public var tag: String {
        switch storage {
        case .sequence(let number): String(number)
        case .text(let text): text.text
        }
    }
}

extension EventID {
    /// The source, a slash and the number; nil where the tag is a text. Made for each event that is published, hence with
    /// one allocation.
    package var numberedText: String? {
        guard case .sequence(let number) = storage else { return nil }
        let source = source.utf8
        return String(unsafeUninitializedCapacity: source.count + 1 + Self.mostDigits) { buffer in
            let end = buffer.initialize(from: source).index
            buffer[end] = UInt8(ascii: "/")
            var (rest, length) = (number, 1)
            while rest >= 10 { (rest, length) = (rest / 10, length + 1) }
            rest = number
            for position in (end + 1...end + length).reversed() {
                buffer[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return end + 1 + length
        }
    }

    /// Of a number of 64 bits.
    private static let mostDigits = 20
}

extension EventID: CustomStringConvertible {
    /// The source and the tag, with a `/` between them.
    public var description: String { "\(source)/\(tag)" }
}

import Synchronization

/// Counts messages, and lets a task wait for some numbers of them.
final class Counter: Sendable {
    private let count = Atomic(0)
    private let ends: [Int: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)]

    /// - Parameter marks: The numbers that are awaited, each by one task.
    init(marks: [Int]) {
        ends = Dictionary(marks.map { ($0, AsyncStream.makeStream()) }) { first, _ in first }
    }

    /// How many there were.
    var value: Int { count.load(ordering: .relaxed) }

    /// There was one more.
    func increment() {
        let value = count.add(1, ordering: .relaxed).newValue
        ends[value]?.continuation.finish()
    }

    /// Returns once there were so many, or at once for a number that is not among the marks.
    func reach(_ mark: Int) async {
        guard let stream = ends[mark]?.stream else { return }
        for await _ in stream {}
    }
}

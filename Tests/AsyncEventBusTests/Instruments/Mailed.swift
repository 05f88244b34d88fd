/// A value that is put in once and can be awaited before.
final class Mailed<Value: Sendable>: Sendable {
    private let journal = Journal<Value>()

    var value: Value {
        get async { await journal.wait(for: 1)[0] }
    }

    func put(_ value: Value) { journal.write(value) }
}

/// Checks a condition every 5 ms until it holds; for integration tests, where the event cannot be awaited.
///
/// Returns true as soon as it holds, false when the time, `stretched`, is over. Put it into an expectation:
/// `#expect(try await eventually { broker.connections == 2 })`.
///
/// - Throws: What the condition throws, and `CancellationError`.
package func eventually(
    within limit: Duration = .seconds(30),
    _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + limit.stretched
    while true {
        if try await condition() { return true }
        if ContinuousClock.now >= deadline { return false }
        try await Task.sleep(for: .milliseconds(5))
    }
}

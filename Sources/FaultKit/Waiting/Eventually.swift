/// Checks a condition every 5 ms until it holds: for integration tests that cannot await the event.
///
/// Returns true as soon as it holds, false after `limit`, made ``Swift/Duration/patient``. Use it in an expectation:
/// `#expect(try await eventually { broker.connections == 2 })`.
///
/// - Throws: The errors of the condition, and `CancellationError`.
package func eventually(
    within limit: Duration = .seconds(30),
    _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + limit.patient
    while true {
        if try await condition() { return true }
        if ContinuousClock.now >= deadline { return false }
        try await Task.sleep(for: .milliseconds(5))
    }
}

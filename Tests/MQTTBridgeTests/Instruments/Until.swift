import TestSupport
import Testing

/// Waits until a condition holds, and fails the test where it does not in time. For what cannot be awaited.
func until(
    within limit: Duration = .seconds(30),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let holds = try await eventually(within: limit, condition)
    #expect(holds, "not within \(limit.patient)", sourceLocation: sourceLocation)
}

internal import Foundation

/// Runs a blocking `body` on a thread of its own, so that the two or three threads of the concurrency pool go on.
///
/// Not cancellable: `body` has its own time limit.
@discardableResult
package func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    let result = FirstResult<T>()
    Thread.detachNewThread { result.set(Result { try body() }) }
    return try await result.get()
}

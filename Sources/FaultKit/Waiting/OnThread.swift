internal import Foundation

/// Runs a blocking `body` on its own thread instead of one of the two or three threads of the concurrency pool.
///
/// Cancellation has no effect: `body` needs its own time limit.
@discardableResult
package func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    let result = FirstResult<T>()
    Thread.detachNewThread { result.set(Result { try body() }) }
    return try await result.get()
}

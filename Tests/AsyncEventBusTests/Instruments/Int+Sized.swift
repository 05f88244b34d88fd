@testable import AsyncEventBus

/// A number waits in place of an event, and counts for one byte.
extension Int: Sized {
    var size: Int { 1 }
}

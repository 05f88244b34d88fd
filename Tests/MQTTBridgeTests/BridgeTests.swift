import Testing

/// All tests of bridges with real connections: one after the other, so that none waits for the processors of another.
@Suite("Bridge", .serialized, .needsMosquitto)
enum BridgeTests {}

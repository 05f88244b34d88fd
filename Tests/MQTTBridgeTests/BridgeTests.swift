import Testing

/// All tests of bridges with real connections. They wait more than they compute, so that several run at a time;
/// `Scripts/test` says how many.
@Suite("Bridge", .needsMosquitto)
enum BridgeTests {}

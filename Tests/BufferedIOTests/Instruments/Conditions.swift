import Foundation
import TestSupport
import Testing

extension Trait where Self == ConditionTrait {
    /// Where there is no mosquitto the test is skipped; in CI it fails.
    static var needsMosquitto: Self {
        .enabled("mosquitto is not installed") {
            MosquittoBroker.isInstalled || ProcessInfo.processInfo.environment["CI"] != nil
        }
    }
}

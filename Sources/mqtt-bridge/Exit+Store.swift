import ArgumentParser
import MessageStore

extension Exit {
    /// A store is damaged, or newer than this program.
    static let unusableData = ExitCode(65)
    /// There is no store, or not what was asked for in it.
    static let missing = ExitCode(66)
    /// Another process has the store.
    static let storeInUse = ExitCode(73)
    /// The medium fails.
    static let inputOutput = ExitCode(74)

    static func code(for error: StoreError) -> ExitCode {
        switch error.code {
        case .damaged, .newer: unusableData
        case .missing: missing
        case .inUse: storeInUse
        case .notPermitted: notPermitted
        default: inputOutput
        }
    }
}

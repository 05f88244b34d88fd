internal import Logging
internal import SQLiteStore

extension SQLiteStore {
    /// Opens the store of a daemon. Logs a damaged store that was moved aside, and the check at the start.
    static func open(_ options: SQLiteStoreOptions, logger: Logger) throws -> SQLiteStore {
        let store = try open(options)
        if let movedAside = store.movedAside {
            logger.error(
                "the store was damaged; it was moved aside and a new one begun",
                metadata: ["moved-to": "\(movedAside)"]
            )
        }
        if let check = store.startCheck {
            logger.info(
                check.isAfterDamage ? "the store was checked, since damage was met before" : "the store was checked",
                metadata: [
                    "check": "\(check.kind)", "duration": "\(check.duration)", "bytes-read": "\(check.bytesRead)",
                ]
            )
        }
        return store
    }
}

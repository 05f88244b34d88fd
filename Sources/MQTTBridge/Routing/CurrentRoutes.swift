import Locking

/// The current routes of a bridge. They are replaced as a whole: a ``RouteTable`` never changes.
///
/// Read the table once per batch, so that all messages of the batch go by the same routes.
final class CurrentRoutes: Sendable {
    private let table: Locked<RouteTable>

    init(_ table: RouteTable) {
        self.table = Locked(table)
    }

    var now: RouteTable { table.withLock { $0 } }

    func exchange(for table: RouteTable) { self.table.withLock { $0 = table } }
}

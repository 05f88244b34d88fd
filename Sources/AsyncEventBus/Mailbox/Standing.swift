/// Whether a waiting element can be displaced, and whether it takes up room.
enum Standing: Sendable {
    /// It can be displaced, if the policy says so, and takes up room.
    case displaceable
    /// Its producer was ready to wait for room: it is never displaced, and takes up room.
    case sent
    /// It is never displaced, and takes up no room.
    case kept

    var takesRoom: Bool { self != .kept }
}

/// How firmly an element waits in a mailbox.
enum Standing: Sendable {
    /// It makes room for others, where the policy says so.
    case displaceable
    /// Its producer was ready to wait for room, and got it: it is never displaced, and takes up room.
    case sent
    /// It is never displaced, and takes up no room.
    case kept

    var takesRoom: Bool { self != .kept }
}

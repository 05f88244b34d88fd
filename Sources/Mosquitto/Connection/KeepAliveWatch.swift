/// Whether PINGRESP may be among the bytes that a hold leaves unread. Pure.
///
/// libmosquitto ends the connection when a ping is as old as the keep-alive and PINGRESP was not read (2.0.11,
/// util_mosq.c, `mosquitto__check_keepalive`; loop.c, `mosquitto_loop_misc`). It does not know about the hold, so the
/// client does not call it while the hold may be the cause.
struct KeepAliveWatch: Sendable {
    private var isOut = false

    /// Whether the client must not let libmosquitto check the keep-alive.
    private(set) var isAnswerHeldBack = false

    /// PINGREQ was queued.
    mutating func sent() { isOut = true }

    /// A hold is on: the client does not read.
    mutating func held() { isAnswerHeldBack = isOut }

    /// The client has read all received bytes: a PINGRESP that is still missing is the broker's delay.
    mutating func caughtUp() { (isOut, isAnswerHeldBack) = (false, false) }
}

/// Whether the answer to a ping may wait among what a hold keeps from being read. Pure.
///
/// libmosquitto gives a broker up when a ping is as old as the keep-alive and no answer was read (2.0.11, util_mosq.c,
/// `mosquitto__check_keepalive`; loop.c, `mosquitto_loop_misc`). It does not know that nobody reads; so it is not asked
/// while that may be why.
struct PingWatch: Sendable {
    private var isOut = false

    /// Whether libmosquitto must not judge the broker now.
    private(set) var isAnswerHeldBack = false

    /// A ping was queued.
    mutating func sent() { isOut = true }

    /// Nothing is read just now.
    mutating func held() { isAnswerHeldBack = isOut }

    /// All that had arrived was read: a broker that has not answered by now is slow by itself.
    mutating func caughtUp() { (isOut, isAnswerHeldBack) = (false, false) }
}

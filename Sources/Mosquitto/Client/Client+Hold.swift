extension Client {
    /// Replaces ``ClientOptions/Timeouts/drain`` with a point in time: a cancelled ``run()`` publishes queued messages
    /// until then.
    package func limitDrain(until deadline: ContinuousClock.Instant) { storage.limitDrain(until: deadline) }

    /// The number of messages without a completion that were still queued at the end of ``run()``.
    package var abandoned: Int { storage.abandoned }

    /// Stops reading until ``resume()``: back-pressure for a consumer that cannot take more messages.
    ///
    /// Returns at once, from any thread. The delegate still receives the batch that the client is reading. The client
    /// goes on writing acknowledgements, and publishes until the in-flight window is full: it does not read PUBACK
    /// either. The broker only notices that acknowledgements are missing.
    ///
    /// After ``ClientOptions/Timeouts/hold`` the client parks: it stops publishing, sends DISCONNECT, so that the broker
    /// does not publish the will, and stays disconnected until ``resume()``. With a ``ClientOptions/Session/expiry`` the
    /// broker keeps the session and queues messages at QoS 1 and 2. Without it, and at QoS 0, messages are lost.
    /// Outbound messages stay queued in order; the client publishes unacknowledged messages again. Without a connection
    /// the client parks as soon as it would open one.
    ///
    /// Calls do not nest: a second call changes nothing, and one ``resume()`` ends the hold. If ``run()`` is cancelled
    /// during a hold, it returns at once and does not publish queued messages, because it reads no acknowledgements.
    public func hold() {
        storage.hold()
    }

    /// Resumes reading after ``hold()``; a parked client connects at once.
    ///
    /// Callable from any thread; without a hold it does nothing. Call it when the cause is gone: if the delegate
    /// refuses messages again, each call makes the client reconnect without a pause.
    public func resume() {
        storage.resume()
    }
}

extension Client {
    /// Stops reading, until ``resume()``: back-pressure, for whoever cannot take more messages just now.
    ///
    /// Returns at once, from any thread; a batch that is being read is still handed over. What waits to be written goes
    /// on to be written, acknowledgements and our own messages, as far as the broker's window has room: what it
    /// acknowledges is not read either. The broker notices nothing, but that its messages are not acknowledged.
    ///
    /// After ``ClientOptions/holdLimit`` the client parks: it publishes nothing more, says DISCONNECT, so that no will
    /// is published, and waits without a connection until ``resume()``. With a ``ClientOptions/sessionExpiry`` the
    /// broker keeps the session meanwhile, and collects there what comes at QoS 1 and 2; without, and at QoS 0, that is
    /// lost. Our own messages stay in the queue, in order; what the broker had no time to acknowledge goes out again.
    /// Without a connection the client parks as soon as it would make one.
    ///
    /// Calls do not add up: one more hold changes nothing, and one ``resume()`` ends them all. When ``run()`` is
    /// cancelled during a hold it does not publish what waits, since nothing is read: it returns at once.
    public func hold() {
        storage.hold()
    }

    /// Goes on reading after ``hold()``, and connects at once when the client has parked.
    ///
    /// From any thread, and harmless when nothing is held. To be called when the cause is gone: a client whose delegate
    /// refuses again connects again with each call, without a pause.
    public func resume() {
        storage.resume()
    }
}

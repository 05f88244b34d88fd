/// Ending a connection that is sound: for good, or to park.
extension Link {
    // MARK: The end

    func end() {
        let limit = clock.now + .seconds(1)
        while connector.isOpening, clock.now < limit {
            _ = poller.wait(socket: -1, wantsRead: false, wantsWrite: false, timeout: .milliseconds(10))
        }
        connector.abandon()
        phase = .ended(.success(()))
    }

    /// Goes on publishing until nothing waits or time is up, then says DISCONNECT. Without reading nothing would end
    /// the waiting.
    func drainOut(_ handle: LibraryHandle, isReading: Bool) {
        let deadline = drainDeadline ?? clock.now + storage.options.drainLimit
        drainDeadline = deadline
        guard storage.isDrained || !isReading || clock.now >= deadline else { return }
        leave(handle)
        storage.putBack(window.lost())
        phase = .ended(.success(()))
    }

    /// Writes what the library has queued, then DISCONNECT, and sees the connection closed; for 1 s at most.
    private func leave(_ handle: LibraryHandle) {
        let connection = LingeringSocket(handle.socket)
        handle.disconnect()
        let limit = clock.now + .seconds(1)
        // The library closes the socket itself when DISCONNECT is written.
        while handle.socket >= 0, clock.now < limit {
            guard handle.write().isSuccess else { break }
            guard handle.socket >= 0 else {
                tellAcknowledged()
                break
            }
            let timeout = Duration.milliseconds(50)
            if poller.wait(socket: handle.socket, wantsRead: false, wantsWrite: true, timeout: timeout).failed { break }
        }
        if handle.socket < 0 { connection.finish(within: clock.now.duration(to: limit)) }
        complete(handle.inbox)
    }

    func tellAcknowledged() {
        guard owesAcknowledgements else { return }
        owesAcknowledgements = false
        storage.delegate.clientWroteAcknowledgements()
    }

    // MARK: Parking

    /// There is no connection, and none is to be made.
    func park(_ reason: ParkReason) {
        machine.parked(at: clock.now)
        phase = .parked
        notice(.parked(reason: reason))
    }

    /// Gives a connection up: with DISCONNECT after a hold; after a refusal without another byte, since all that may
    /// be written comes behind the acknowledgements.
    func park(_ handle: LibraryHandle, _ reason: ParkReason) {
        if reason == .held { leave(handle) } else { complete(handle.inbox) }
        storage.putBack(window.lost())
        subscriptions.connectionLost()
        // The next turn tells of it: by then nobody holds the handle, and with it the socket is closed.
        phase = storage.isStopping ? .ended(.success(())) : .parking(reason)
    }

    func tellParked(_ reason: ParkReason) {
        hasToldEnd = true
        notice(.disconnected(nil))
        park(reason)
    }

    func unpark() {
        notice(.resumed)
        perform(machine.resumed())
    }
}

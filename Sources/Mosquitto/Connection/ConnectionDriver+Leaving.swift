/// Leaving a healthy connection: to end, or to park.
extension ConnectionDriver {
    // MARK: The end

    func end() {
        let limit = clock.now + .seconds(1)
        while connector.isOpening, clock.now < limit {
            _ = poller.wait(socket: -1, wantsRead: false, wantsWrite: false, timeout: .milliseconds(10))
        }
        connector.abandon()
        phase = .ended(.success(()))
    }

    /// Publishes until the queue is empty or the deadline passes, then sends DISCONNECT. Ends at once during a hold,
    /// when no acknowledgement would be read.
    func drainOut(_ handle: LibraryHandle, isReading: Bool) {
        let deadline = drainDeadline ?? storage.drainEnd ?? clock.now + storage.options.timeouts.drain
        drainDeadline = deadline
        guard storage.isDrained || !isReading || clock.now >= deadline else { return }
        if let will = storage.options.will, will.birth != nil { announce(will.message, handle) }
        leave(handle)
        takeBack()
        phase = .ended(.success(()))
    }

    /// Publishes a birth or will message. Not counted in the window: the client does not wait for the acknowledgement.
    func announce(_ message: Message, _ handle: LibraryHandle) {
        do {
            _ = try handle.publish(message)
        } catch {
            notice(.refused(message, error, isAnswered: false))
        }
    }

    /// Writes the library's queue and DISCONNECT, and waits until the connection is closed; at most 1 s.
    private func leave(_ handle: LibraryHandle) {
        let connection = LingeringSocket(handle.socket)
        handle.disconnect()
        let limit = clock.now + .seconds(1)
        // The library closes the socket after it has written DISCONNECT.
        while handle.socket >= 0, clock.now < limit {
            guard handle.write().isSuccess else { break }
            guard handle.socket >= 0 else {
                reportAcknowledgementsWritten()
                break
            }
            let timeout = Duration.milliseconds(50)
            if poller.wait(socket: handle.socket, wantsRead: false, wantsWrite: true, timeout: timeout).failed { break }
        }
        if handle.socket < 0 { connection.finish(within: clock.now.duration(to: limit)) }
        complete(handle.callbacks, at: clock.now)
    }

    /// Returns unacknowledged messages to the queue.
    private func takeBack() {
        endProbe()
        storage.putBack(window.lost())
    }

    func reportAcknowledgementsWritten() {
        guard owesAcknowledgements else { return }
        owesAcknowledgements = false
        storage.delegate.clientWroteAcknowledgements(client)
    }

    // MARK: Parking

    /// Parks without a connection.
    func park(_ reason: ParkReason) {
        machine.parked(at: clock.now)
        phase = .parked
        notice(.parked(reason: reason))
    }

    /// Parks a connection: with DISCONNECT after a hold. After a refusal without writing: the library's queue begins
    /// with the acknowledgements.
    func park(_ handle: LibraryHandle, _ reason: ParkReason) {
        if reason == .held { leave(handle) } else { complete(handle.callbacks, at: clock.now) }
        forgetStalls()
        takeBack()
        subscriptions.connectionLost()
        // The next turn reports it: then the handle is released, and the socket closed.
        phase = storage.isStopping ? .ended(.success(())) : .parking(reason)
    }

    func reportParked(_ reason: ParkReason) {
        isEndReported = true
        notice(.disconnected(nil))
        park(reason)
    }

    func unpark() {
        notice(.resumed)
        perform(machine.resumed())
    }
}

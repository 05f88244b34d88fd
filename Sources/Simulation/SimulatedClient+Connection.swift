internal import Locking
internal import MQTTBridge
internal import Mosquitto

/// Connecting, disconnecting, and messages in both directions.
extension SimulatedClient {
    func later(after delay: Duration = .zero, _ work: @escaping (SimulatedClient) -> Void) {
        loop.add(source, after: delay) { [self] in work(self) }
    }

    /// Schedules work within 20 ms, which is dropped if the connection has ended by then.
    private func soon(_ work: @escaping (SimulatedClient) -> Void) {
        let connection = connection
        later(after: .milliseconds(loop.draw(below: 20))) { client in
            if client.connection == connection, client.phase == .connected { work(client) }
        }
    }

    func connect() {
        guard phase != .ended else { return }
        phase = .connecting
        if isStopping { return end() }
        guard !broker.isAway else { return later(after: .milliseconds(50 + loop.draw(below: 200))) { $0.connect() } }
        connection += 1
        phase = .connected
        owed = 0
        let isPresent = broker.connect(self)
        delegate.client(
            identity,
            noticed: .connected(
                ConnectionInfo(
                    url: url,
                    version: version,
                    sessionPresent: isPresent,
                    inFlightWindow: Self.window
                )
            )
        )
        soon { $0.subscribe() }
        publish()
        read()
    }

    /// Sends SUBSCRIBE, later UNSUBSCRIBE, and receives both answers. The connection may be cut in between.
    private func subscribe() {
        broker.subscribe(self, subscriptions)
        soon { client in
            client.broker.unsubscribe(client, client.former)
            client.delegate.client(
                client.identity,
                noticed: .subscribed(
                    client.subscriptions.map { SubscriptionResult(request: $0, reason: ReasonCode(rawValue: 1)) }
                )
            )
        }
    }

    /// Cuts the connection, and schedules a reconnect.
    func cut() {
        guard phase == .connected else { return }
        lose()
        delegate.client(identity, noticed: .disconnected(ClientError(.connectionLost, operation: "simulate")))
        later(after: .milliseconds(10 + loop.draw(below: 300))) { $0.connect() }
    }

    func lose() {
        broker.disconnect(self)
        phase = .connecting
        connection += 1
        queue.insert(contentsOf: inFlight, at: 0)
        inFlight = []
    }

    func park(_ reason: ParkReason) {
        lose()
        phase = .parked
        delegate.client(identity, noticed: .disconnected(nil))
        delegate.client(identity, noticed: .parked(reason: reason))
        if isStopping { end() }
    }

    // MARK: Inbound

    func hasMail() { soon { $0.read() } }

    func read() {
        guard phase == .connected, !isHeld else { return }
        let messages = broker.send(to: self, atMost: 1 + loop.draw(below: 5))
        guard !messages.isEmpty else { return }
        let count = messages.count
        guard delegate.client(identity, received: messages) == .acknowledge else { return park(.refused) }
        guard process.isAlive else { return }
        owed += count
        soon { client in
            let count = client.owed
            client.owed = 0
            client.broker.acknowledge(client, count)
            client.delegate.clientWroteAcknowledgements(client.identity)
            client.read()
        }
        soon { $0.read() }
    }

    // MARK: Outbound

    func publish() {
        guard phase == .connected else { return }
        while inFlight.count < Self.window, !queue.isEmpty {
            let publication = queue.removeFirst()
            inFlight.append(publication)
            soon { $0.send() }
        }
        makeRoom()
    }

    /// Sends the oldest in-flight message, and receives the answer. The connection may be cut in between.
    private func send() {
        guard let publication = inFlight.first else { return }
        let reason = broker.take(publication.message, from: self)
        if loop.draw(below: 50) == 0 { return cut() }
        inFlight.removeFirst()
        if reason == .success, let identity = publication.message.properties[user: "bridgeid"] {
            let isNew = acknowledged.insert([publication.message.topic, identity]).inserted
            if !isNew { broker.noteRepeat(of: publication.message, by: self) }
        }
        if reason == .success {
            publication.completion?(.success(.success))
        } else {
            publication.completion?(
                .failure(ClientError(.rejected, operation: "publish", detail: "\(reason)", reason: reason))
            )
        }
        publish()
        endIfDrained()
    }

    func makeRoom() {
        guard queue.count < Self.capacity else { return }
        for waiter in room.withLock({ $0.removeAll { _ in true } }) { waiter.resume() }
    }
}

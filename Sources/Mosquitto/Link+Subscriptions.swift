/// Sending what subscribers ordered.
extension Link {
    /// Carries out an order, or keeps it for the next connection.
    func carryOut(_ order: ClientStorage.Order) {
        switch order {
        case .subscribe(let requests, let completion):
            subscriptions.add(requests, completion: completion)
            if case .live(let handle) = phase { sendSubscriptions(handle) }
        case .unsubscribe(let filters, let completion):
            subscriptions.remove(filters)
            guard case .live(let handle) = phase else {
                completion(.success(()))
                return
            }
            do {
                subscriptions.ending(packetID: try handle.unsubscribe(filters), completion: completion)
            } catch {
                completion(.failure(error))
            }
        }
    }

    /// Sends SUBSCRIBE for all that was not sent on this connection yet, in batches.
    func sendSubscriptions(_ handle: LibraryHandle) {
        while let batch = subscriptions.nextBatch() {
            do {
                let packetID = try handle.subscribe(
                    batch.map(\.filter),
                    qos: batch[0].qos,
                    optionBits: storage.options.version == .v5 ? batch[0].optionBits : 0
                )
                subscriptions.sent(batch, packetID: packetID)
            } catch {
                subscriptions.failed(batch, error)
            }
        }
        if let results = subscriptions.resultsIfComplete() {
            storage.delegate.client(noticed: .subscribed(results))
        }
    }
}

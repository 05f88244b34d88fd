/// Sending SUBSCRIBE and UNSUBSCRIBE.
extension ConnectionDriver {
    /// Carries out an order on the connection, or keeps it for the next one.
    func carryOut(_ order: ClientStorage.Order) {
        switch order {
        case .subscribe(let requests, let completion):
            subscriptions.add(requests, completion: completion)
            if case .live(let handle) = phase { sendSubscriptions(handle) }
        case .unsubscribe(let filters, let completion):
            subscriptions.remove(filters, completion: completion)
            if case .live(let handle) = phase { sendSubscriptions(handle) }
        }
    }

    /// Sends pending SUBSCRIBE packets in batches, then pending UNSUBSCRIBE packets. In this order no message is missed
    /// if a new filter covers an old one.
    func sendSubscriptions(_ handle: LibraryHandle) {
        while let batch = subscriptions.nextBatch() {
            do {
                let isVersion5 = storage.options.version == .v5
                for step in batch[0].steps(hasIdentifiers: isVersion5 && hasIdentifiers) {
                    let packetID = try handle.subscribe(
                        batch.map(\.filter),
                        qos: batch[0].qos,
                        optionBits: isVersion5 ? step.optionBits : 0,
                        identifier: step.identifier
                    )
                    subscriptions.sent(batch, packetID: packetID)
                }
                conversation.subscribed(to: batch[0].filter, count: batch.count, at: clock.now)
            } catch {
                subscriptions.failed(batch, error)
            }
        }
        while let batch = subscriptions.nextEnding() {
            do {
                subscriptions.endingSent(batch, packetID: try handle.unsubscribe(batch))
            } catch {
                subscriptions.endingFailed(batch, error)
            }
        }
        if let results = subscriptions.resultsIfComplete() {
            notice(.subscribed(results))
        }
    }
}

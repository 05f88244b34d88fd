/// Publishing what waits, and hearing what the broker says to that and to subscriptions.
extension Link {
    /// Gives the library what the window has room for, and writes until the socket is full or nothing waits.
    ///
    /// - Parameter received: How many messages have come in since the last write.
    func write(_ handle: LibraryHandle, received: Int) -> LibraryCode {
        let limit = min(window.room, Self.flushLimit)
        let publications = storage.takePublications(limit: limit, exactlyOnce: window.exactlyOnceRoom)
        for publication in publications {
            do {
                window.sent(publication, packetID: try handle.publish(publication.message))
            } catch {
                refuse(publication, error)
            }
        }
        return handle.wantsWrite ? handle.write(isBatch: received + publications.count > 1) : .success
    }

    func complete(_ inbox: HandleInbox) {
        var done: [(publication: Publication, reason: ReasonCode)] = []
        done.reserveCapacity(inbox.completed.count)
        for (packetID, reason) in inbox.completed {
            guard let publication = window.completed(packetID: packetID) else { continue }
            if reason.isSuccess {
                done.append((publication, reason))
            } else {
                refuse(publication, .refusedPublish(publication.message.topic, reason))
            }
        }
        inbox.completed.removeAll(keepingCapacity: true)
        storage.complete(done)
        for suback in inbox.subacks {
            if let results = subscriptions.acknowledged(packetID: suback.packetID, reasons: suback.reasons) {
                notice(.subscribed(results))
            }
        }
        inbox.subacks.removeAll()
        inbox.unsubacks.forEach { subscriptions.ended(packetID: $0) }
        inbox.unsubacks.removeAll()
    }

    private func refuse(_ publication: Publication, _ error: ClientError) {
        notice(.refused(publication.message, error))
        storage.fail(publication, error)
    }
}

/// Publishing the queue, and completing publishes and subscriptions with the broker's answers.
extension ConnectionDriver {
    /// Publishes as many messages as the window has room for, and writes until the socket is full.
    ///
    /// - Parameter received: The number of messages received since the last write.
    func write(_ handle: LibraryHandle, received: Int, at now: ContinuousClock.Instant) -> LibraryCode {
        let limit = min(window.room, suspicion.isCareful ? carefulRoom(at: now) : Self.flushLimit)
        var publications = storage.takePublications(limit: limit, exactlyOnce: window.exactlyOnceRoom)
        if !retainAvailable { publications = refusingRetained(publications) }
        for publication in publications {
            do {
                let packetID =
                    exactlyOnce.isAvoided
                    ? try handle.publish(publication.message.atLeastOnceAtMost)
                    : try handle.publish(publication.message)
                window.sent(publication, packetID: packetID)
            } catch {
                refuse(publication, error)
            }
        }
        if let last = publications.last { conversation.published(last, at: now) }
        return handle.wantsWrite ? handle.write(isBatch: received + publications.count > 1) : .success
    }

    /// Refuses retained messages if the broker does not support them: a client must not send them (MQTT 5, section
    /// 3.2.2.3.5). libmosquitto 2.0.11 does not check, and the broker would end the connection.
    private func refusingRetained(_ publications: [Publication]) -> [Publication] {
        for publication in publications where publication.message.isRetained {
            refuse(publication, .retainNotSupported(publication.message.topic))
        }
        return publications.filter { !$0.message.isRetained }
    }

    func complete(_ callbacks: CallbackBuffer, at now: ContinuousClock.Instant) {
        if !callbacks.completed.isEmpty {
            completePublications(callbacks.completed, at: now)
            callbacks.completed.removeAll(keepingCapacity: true)
        }
        if !callbacks.subacks.isEmpty || !callbacks.unsubacks.isEmpty { conversation.granted() }
        for suback in callbacks.subacks {
            if let results = subscriptions.acknowledged(packetID: suback.packetID, reasons: suback.reasons) {
                notice(.subscribed(results))
            }
            answered(.suback, owesMore: subscriptions.awaitsSuback, at: clock.now)
        }
        callbacks.subacks.removeAll()
        for packetID in callbacks.unsubacks {
            guard packetID != stallProbe else {
                stalls.probeAnswered()
                continue
            }
            if let results = subscriptions.ended(packetID: packetID) { notice(.subscribed(results)) }
            answered(.unsuback, owesMore: subscriptions.awaitsUnsuback, at: clock.now)
        }
        callbacks.unsubacks.removeAll()
    }

    func completePublications(_ completed: [CallbackBuffer.Completed], at now: ContinuousClock.Instant) {
        var done: [(publication: Publication, reason: ReasonCode)] = []
        done.reserveCapacity(completed.count)
        var isAcknowledged = false
        for answer in completed {
            guard let publication = window.completed(packetID: answer.packetID) else { continue }
            if publication.message.qos > .atMostOnce { isAcknowledged = true }
            if answer.reason.isSuccess {
                done.append((publication, answer.reason))
            } else {
                refuse(publication, .refusedPublish(publication.message.topic, answer.reason))
            }
        }
        let isRefusal = completed.last?.reason.isSuccess == false
        if suspicion.isCareful, let (publication, _) = done.first, publication.message.qos == .atMostOnce {
            // The message was sent alone and has no acknowledgement: wait whether the connection survives it.
            probe = (publication, now + HangUpSuspicion.probe)
            return
        }
        if isAcknowledged {
            conversation.answered(isRefusal: isRefusal, at: now)
            suspicion.passed(done.count + (isRefusal ? 1 : 0))
            if exactlyOnce.isWatching, done.contains(where: { $0.publication.message.qos == .exactlyOnce }) {
                exactlyOnce.passed()
            }
        }
        storage.complete(done)
        if isAcknowledged { answered(.puback, owesMore: window.awaitsAcknowledgements, at: clock.now) }
    }

    func refuse(_ publication: Publication, _ error: ClientError) {
        notice(.refused(publication.message, error, isAnswered: publication.completion != nil))
        storage.fail(publication, error)
    }
}

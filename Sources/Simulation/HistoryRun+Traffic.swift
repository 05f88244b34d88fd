internal import AsyncEventBus
internal import Mosquitto

/// Messages published at the first broker, and events emitted in the near bridge's process.
extension HistoryRun {
    private func next(_ kind: String, _ key: Int) -> Promise.TestMessage {
        numbers["\(kind)\(key)", default: 0] += 1
        return Promise.TestMessage(key: key, number: numbers["\(kind)\(key)"] ?? 0)
    }

    /// Publishes a message at the first broker, as a client other than the bridges.
    @discardableResult
    func publish(_ key: Int) -> Promise.TestMessage {
        let testMessage = next("in", key)
        var message = Message(topic: "in/\(key)", payload: Array("\(testMessage)".utf8), qos: .atLeastOnce)
        if setup.hasIdentities {
            message.properties.userProperties = [.init("bridgeid", "elsewhere/\(testMessage)")]
        }
        brokers[0].publish(message)
        return testMessage
    }

    /// Emits an event for the second broker in the near bridge's process, and checks its receipt.
    func emit(_ kind: String, _ key: Int) {
        guard let process = near.process, process.isAlive else { return }
        let testMessage = next(kind, key)
        let receiver = "\(kind) at second"
        let receipt = process.bus.tracked.emit("\(kind).\(key)", Payload("\(testMessage)"))
        for goal in ["stored", "published"] { witness.expects("\(receiver) \(testMessage), \(goal)", from: process) }
        receipt.whenStored { [witness] result in
            witness.told("\(receiver) \(testMessage), stored")
            guard process.isAlive, case .success = result else { return }
            if !witness.promise.isPromised(testMessage, to: receiver) {
                witness.promise.breach("\(testMessage) is called stored, and is not in the store")
            }
        }
        receipt.whenPublished { [witness] result in
            witness.told("\(receiver) \(testMessage), published")
            guard process.isAlive, case .success = result else { return }
            witness.look()
            if !witness.promise.hasSeen(testMessage, at: receiver) {
                witness.promise.breach("\(testMessage) is called published, and the broker has not got it")
            }
        }
    }
}

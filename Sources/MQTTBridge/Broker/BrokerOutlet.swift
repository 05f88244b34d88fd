import AsyncEventBus
import Mosquitto

/// Publishes to one broker. A class, since it is passed along with each event.
final class BrokerOutlet: Sendable {
    /// The name of the broker.
    let broker: String
    let client: any BrokerClient
    let format: WireFormat
    /// Identifies the connection in the events that come from it.
    let link: String

    init(broker: String, client: any BrokerClient, format: WireFormat, link: String) {
        self.broker = broker
        self.client = client
        self.format = format
        self.link = link
    }

    /// - Parameter table: Maps the name for responses, if the event has one.
    func message(of event: Event, for target: RouteTable.Outbound, _ table: RouteTable) -> Message {
        let reply = event.attributes.replyTo.flatMap { try? EventName($0) } ?? event.mqtt?.replyName
        return format.encode(
            event,
            topic: target.topic,
            qos: target.qos,
            retain: target.retention.keeps(event),
            replyTopic: reply.flatMap { table.replyTopic(ofName: $0, broker: broker) }
        )
    }

    /// Gives a message, whose topic ``RouteTable`` has checked, to the client. Announces it to the echo window if
    /// needed.
    ///
    /// - Parameters:
    ///   - state: The mark of a retained message, ended when the broker has acknowledged or refused it.
    ///   - completion: Reports a refusal. If it is nil, this method or ``MessageReceiver`` reports it.
    func publish(
        _ message: consuming Message,
        _ context: BridgeContext,
        state: StateInFlight?,
        completion: (@Sendable (Result<ReasonCode, ClientError>) -> Void)?
    ) throws(ClientError) {
        let comesBack = format.needsEchoWindow && !context.routes.now.inbound(message.topic, broker: broker).isEmpty
        guard comesBack || state != nil else {
            try client.enqueue(checked: message, completion: completion)
            return
        }
        let topic = message.topic
        let echo = comesBack ? EchoWindow.Key(topic: topic, payload: message.payload) : nil
        // Announced before it can come back, and withdrawn if the client refuses it: otherwise an equal message of
        // another client would count as the echo.
        if let echo { context.loopGuard.willPublish(echo, link: link) }
        do throws(ClientError) {
            try client.enqueue(checked: message) { [context, link, broker] result in
                if let echo { context.loopGuard.didPublish(echo, link: link, isTaken: result.isSuccess) }
                state?.end(isAcknowledged: result.isSuccess)
                if let completion {
                    completion(result)
                } else if case .failure(let error) = result {
                    context.reporter.count(.refused, broker: broker, topic: topic, reason: "\(error)")
                }
            }
        } catch {
            if let echo { context.loopGuard.didPublish(echo, link: link, isTaken: false) }
            throw error
        }
    }

    /// Marks a state as in flight to a topic of the broker.
    func stateInFlight(on topic: String, _ context: BridgeContext) -> StateInFlight {
        StateInFlight(to: placesOfState(on: topic, context), context.states)
    }

    func placesOfState(on topic: String, _ context: BridgeContext) -> [RetainedStates.Place] {
        context.routes.now.inbound(topic, broker: broker).map { RetainedStates.Place(name: $0.event, link: link) }
    }
}

extension Result {
    fileprivate var isSuccess: Bool { if case .success = self { true } else { false } }
}

package import MQTTBridge

extension Site {
    /// The routes of the gateway. The devices talk to the local broker; the cloud sees them below `sites/1`.
    package static let gatewayRoutes: [Route] = [
        Route("meters/{id}/pressure", pressure, direction: .in, broker: "local"),
        Route("pumps/{id}/state", pump, direction: .in, broker: "local"),
        Route("pumps/{id}/command", command, direction: .out, broker: "local"),
        Route("pumps/{id}/ask", askPump.requests, direction: .out, broker: "local"),
        Route("answers/{bus}", "answers.{bus}", broker: "local"),
        Route("sites/1/meters/{id}/pressure", pressure, direction: .out, broker: "cloud"),
        Route("sites/1/pumps/{id}/state", pump, direction: .out, broker: "cloud", retain: .always),
        Route("sites/1/pumps/{id}/ask", askPump.requests, direction: .in, broker: "cloud"),
        Route("answers/{bus}", "answers.{bus}", broker: "cloud"),
    ]

    /// The routes of the devices.
    package static let deviceRoutes: [Route] = [
        Route("meters/{id}/pressure", pressure, direction: .out),
        Route("pumps/{id}/state", pump, direction: .out, retain: .always),
        Route("pumps/{id}/command", command, direction: .in),
        Route("pumps/{id}/ask", askPump.requests, direction: .in),
        Route("answers/{bus}", "answers.{bus}"),
    ]

    /// The responses that each side may name a topic for.
    package static let answers: [TopicTemplate] = ["answers/{rest...}"]
}

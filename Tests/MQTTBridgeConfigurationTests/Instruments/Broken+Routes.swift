extension Broken {
    static let routing: [Broken] = [
        routes("no routes in the list", "  ▸[]", says: "\"routes\" is empty", advises: "Remove it to map everything"),
        Broken(
            "only comments under routes",
            "brokers: {home: {url: mqtt://h}}\n▸routes:\n  # - none\n",
            says: "\"routes\" is empty",
            advises: "Remove it to map everything"
        ),
        routes("routes as a mapping", "  ▸topic: a", says: "a list, not a mapping", advises: "routes: [{topic:"),
        routes("a route as a text", "  - ▸a", says: "a mapping, not", advises: "- {topic:"),
        routes("no topic", "  - ▸event: a", says: "\"topic\" is missing", advises: "topic: \"home/{room}"),
        routes("no event", "  - ▸topic: a", says: "\"event\" is missing", advises: "event: \"climate."),
        routes("an empty topic", "  - {topic: \"▸\", event: e}", says: "it is empty", advises: "{rest...}"),
        routes(
            "braces without quotes",
            "  - topic: ▸{t...}\n    event: e",
            says: "a text, not a mapping",
            advises: "quotes"
        ),
        routes("a wildcard", "  - topic: a/b/▸#\n    event: e", says: "+ and # are not used", advises: "{name...}"),
        routes("a wildcard in quotes", "  - topic: \"é/▸+/c\"\n    event: e", says: "+ and #", advises: "{name}"),
        routes("a star in an event", "  - topic: a\n    event: 'x.▸*'", says: "* and a bare %", advises: "%2A"),
        routes(
            "a capture that is no word",
            "  - {topic: \"a/▸{1}\", event: e}",
            says: "not a capture",
            advises: "{room}"
        ),
        routes(
            "a rest in the middle",
            "  - topic: \"a/▸{r...}/b\"\n    event: \"e.{r...}\"",
            says: "{r...} is not last",
            advises: "last part"
        ),
        routes(
            "a capture that is lost",
            "  - topic: \"a/{room}\"\n    event: ▸\"e\"",
            says: "{room} of the topic is missing",
            advises: "Add it"
        ),
        routes(
            "a capture from nowhere",
            "  - event: \"e.{room}\"\n    topic: ▸a",
            says: "{room} of the event is missing",
            advises: "Add it"
        ),
        routes(
            "a name of the bus",
            "  - {topic: a, event: ▸$bridge.x}",
            says: "the bus's own",
            advises: "another first"
        ),
        routes(
            "another direction",
            "  - {topic: a, event: e, direction: ▸inn}",
            says: "in, out or both",
            advises: ": in"
        ),
        routes("quality 3", "  - {topic: a, event: e, qos: ▸3}", says: "0, 1 or 2", advises: "qos: 1"),
        routes(
            "a number for a boolean",
            "  - {topic: a, event: e, retain: ▸1}",
            says: "true, false or as-received",
            advises: "true"
        ),
        routes("a key misspelled", "  - {topic: a, ▸evnt: e, event: e}", says: "unknown key", advises: "mean event?"),
        routes("a broker that is none", "  - {topic: a, event: e, broker: ▸hom}", says: "no broker", advises: "home"),
        routes(
            "a name twice",
            "  - {topic: a, event: e, name: x}\n  - {topic: b, event: f, name: ▸x}",
            says: "route 1 has the name \"x\" too",
            advises: "another name"
        ),
        routes(
            "a name twice, once unwritten",
            "  - {topic: a, event: e, name: 'home: b = f'}\n  - ▸{topic: b, event: f}",
            says: "route 1 has the name \"home: b = f\" too",
            advises: "another name"
        ),
        routes(
            "the same twice",
            "  - {topic: \"a/{x}\", event: \"e.{x}\"}\n  - {topic: ▸\"a/b\", event: e.b}",
            says: "makes the same event",
            advises: "Narrow one"
        ),
        Broken(
            "a circle",
            """
            brokers: {a: {url: mqtt://a}, b: {url: mqtt://b}}
            routes:
              - ▸{topic: "x/{r...}", event: "x.{r...}", broker: a}
              - {topic: "y/{r...}", event: "x.{r...}", broker: b, name: up}
              - {topic: "y/{r...}", event: "z.{r...}", broker: b, direction: in}
              - {topic: "x/{r...}", event: "z.{r...}", broker: a, direction: out, name: down}

            """,
            says: "lead back to where they began",
            advises: "Set direction"
        ),
        Broken(
            "no broker where there are two",
            "brokers: {a: {url: mqtt://a}, b: {url: mqtt://b}}\nroutes:\n  - ▸topic: a\n    event: e\n",
            says: "\"broker\" is missing",
            advises: "broker: a or b"
        ),
        Broken(
            "no routes where there are two brokers",
            "▸brokers: {a: {url: mqtt://a}, b: {url: mqtt://b}}\n",
            says: "\"routes\" is missing",
            advises: "routes: ["
        ),
        routes(
            "an unknown limit",
            "  - {topic: a, event: e}\nlimits: {▸hop: 3}",
            says: "unknown",
            advises: "mean hops?"
        ),
        routes("hops of none", "  - {topic: a, event: e}\nlimits: {hops: ▸0}", says: "from 1", advises: "hops: 8"),
    ]
}

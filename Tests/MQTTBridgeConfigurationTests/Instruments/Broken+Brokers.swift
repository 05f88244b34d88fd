extension Broken {
    static let brokers: [Broken] = [
        Broken("no brokers", "▸limits: {}", says: "\"brokers\" is missing", advises: "url: mqtt://"),
        Broken("an empty map of brokers", "brokers: ▸{}", says: "empty", advises: "url: mqtt://"),
        Broken("nothing under brokers", "▸brokers:\n", says: "has no value", advises: "url: mqtt://"),
        Broken("brokers as a list", "brokers:\n  ▸- url: mqtt://h\n", says: "not a list", advises: "brokers: {"),
        Broken("a broker as a text", "brokers:\n  home: ▸mqtt://h\n", says: "a mapping, not", advises: "home: {url:"),
        Broken("no URL", "brokers:\n  ▸home:\n    version: 5\n", says: "\"url\" is missing", advises: "mqtt://HOST"),
        Broken(
            "url and urls",
            "brokers:\n  home:\n    url: mqtt://h\n    urls: ▸[mqtt://h]\n",
            says: "exclude each other",
            advises: "Keep one"
        ),
        Broken("an empty list of URLs", "brokers: {home: {urls: ▸[]}}", says: "empty", advises: "mqtt://HOST"),
        Broken(
            "one wrong URL among several",
            "brokers: {home: {urls: [mqtt://h, ▸'http://h']}}",
            says: "unknown scheme",
            advises: "mqtts://HOST"
        ),
        Broken("urls as a text", "brokers: {home: {urls: ▸mqtt://h}}", says: "a list, not", advises: "or url:"),
        Broken("a port too large", "brokers: {home: {url: ▸\"mqtt://h:65536\"}}", says: "port", advises: "[:PORT]"),
        Broken(
            "a password in a URL",
            "brokers:\n  home:\n    url: ▸mqtt://me:secret@h\n",
            says: "does not belong in a URL",
            advises: "mqtt://HOST"
        ),
        broker("version 4", "version: ▸4", says: "5 or 3.1.1, not \"4\"", advises: "version: 5"),
        broker("version 3.1", "version: ▸3.1", says: "not \"3.1\"", advises: "version: 5"),
        broker("a misspelled key", "▸keepalive: 30s", says: "unknown key", advises: "Did you mean keep_alive?"),
        broker(
            "an unknown key",
            "▸colour: red",
            says: "unknown key \"colour\"",
            advises: "The keys here are: url, urls"
        ),
        broker("a key written twice", "▸url: mqtt://other", says: "twice, in line 3", advises: "Remove one"),
        broker("a duration without a unit", "keep_alive: ▸30", says: "has no unit", advises: "keep_alive: 30s"),
        broker("a duration in words", "keep_alive: ▸never", says: "not \"never\"", advises: "ms, s, m, h or d"),
        broker("an unknown unit", "drain_limit: ▸2sec", says: "a unit that is not known", advises: "ms, s, m"),
        broker("a keep-alive too short", "keep_alive: ▸4s", says: "0, or 5s to 65535s", advises: "keep_alive: 30s"),
        broker("a keep-alive too long", "keep_alive: ▸19h", says: "0, or 5s to 65535s", advises: "keep_alive: 30s"),
        broker("a negative duration", "connect_timeout: ▸-1s", says: "must be a duration", advises: "connect_timeout"),
        broker("zero for a time that must pass", "connect_timeout: ▸0", says: "1ms to 1d", advises: "10s"),
        broker("an endless expiry", "session_expiry: ▸99999999999999999d", says: "0, or 1s to", advises: "1h"),
        broker("an empty client identifier", "client_id: ▸\"\"", says: "is empty", advises: "client_id: my-bridge"),
        broker("a line break in it", "client_id: ▸\"a\\nb\"", says: "control character", advises: "Remove it"),
        broker("a list for a text", "client_id: ▸[a]", says: "a text, not a list", advises: "client_id: my-bridge"),
        broker("nothing for a text", "▸username:", says: "has no value", advises: "username: bridge"),
        broker("nothing for a text, as ~", "▸username: ~", says: "has no value", advises: "username: bridge"),
        broker("a word for a number", "in_flight: ▸many", says: "from 1 to 65535, not", advises: "in_flight: 100"),
        broker("zero for a window", "receive_maximum: ▸0", says: "from 1 to 65535", advises: "receive_maximum: 1000"),
        broker("a size without a unit", "maximum_packet_size: ▸1000", says: "has no unit", advises: "16MiB"),
        broker("a size too large", "maximum_packet_size: ▸1GiB", says: "128B to 256MiB", advises: "16MiB"),
        broker("a queue as a number", "queue: ▸1000", says: "a mapping, not", advises: "queue: {messages:"),
        broker("a queue of none", "queue: {messages: ▸0}", says: "from 1 to", advises: "messages: 10000"),
        broker(
            "metadata of another kind",
            "metadata: ▸cloudevent",
            says: "minimal, cloudevents, envelope or none",
            advises: "cloudevents"
        ),
        broker("pauses upside down", "reconnect: {shortest: ▸1h}", says: "longer than", advises: "shortest: 100ms"),
        Broken(
            "minimal metadata on 3.1.1",
            "brokers: {home: {url: mqtt://h, version: 3.1.1, metadata: ▸minimal}}",
            says: "needs MQTT 5",
            advises: "cloudevents or metadata: none"
        ),
        Broken(
            "a limit of MQTT 5 on 3.1.1",
            "brokers: {home: {url: mqtt://h, version: 3.1.1, ▸receive_maximum: 5}}",
            says: "needs MQTT 5",
            advises: "version: 5"
        ),
        Broken(
            "one identifier twice at one broker",
            "brokers:\n  a: {url: mqtt://h, client_id: x}\n  ▸b: {url: mqtt://h, client_id: x}\nroutes:\n"
                + "  - {topic: t, event: e, broker: a}\n",
            says: "the same URL and \"client_id\" as broker \"a\"",
            advises: "only one connection"
        ),
    ]
}

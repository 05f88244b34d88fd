extension BridgeConfiguration {
    /// A valid configuration file with comments, as `mqtt-bridge init` writes it.
    public static let starter = #"""
        # Configuration of mqtt-bridge.
        #
        #     mqtt-bridge check FILE           shows every mistake, with line, column and advice
        #     mqtt-bridge run --config FILE    connects, and prints events as they come
        #
        # Durations have a unit (250ms, 30s, 5m, 2h, 7d), sizes too (512B, 64KiB, 1MiB). ${NAME} and ${NAME:-default}
        # stand for environment variables.

        brokers:
          # The name of the broker in routes and log lines.
          home:
            # mqtt://HOST[:PORT], or encrypted mqtts://HOST[:PORT], or unix:///PATH.
            url: mqtt://127.0.0.1:1883

            # The identifier of this bridge. Two clients with the same identifier disconnect each other.
            # client_id: my-bridge

            # The login. A password is kept in a file, an environment variable or a systemd credential.
            # username: bridge
            # password: {file: password.txt}
            # password: {env: MQTT_PASSWORD}
            # password: {credential: mqtt-password}

            # For mqtts://, if this system does not trust the authority of the broker's certificate.
            # tls: {ca_file: ca.pem}

        routes:
          # {room} stands for one level of the topic and one segment of the event. Both sides have the same captures.
          # A text that begins with a brace needs quotes; quotes are always allowed.
          - name: temperature
            topic: "home/{room}/temperature"
            event: "climate.{room}.temperature"
            # in: from the broker to listeners; out: from emits to the broker; both.
            direction: both

          # {rest...} stands for all remaining levels or segments.
          - name: switches
            topic: "home/{room}/switch/{rest...}"
            event: "switch.{room}.{rest...}"
            direction: both
            # 0: may be lost; 1: may come twice; 2: neither, as long as both sides keep their memory.
            qos: 1
            # Whether the broker keeps the last message of a topic for later subscribers.
            retain: false

        # Keeps messages with qos 1 or 2 on disk until their delivery is complete: a crash or an absent broker loses none.
        # {check_at_start: full} checks the whole store at each start, the default only its header, tables and newest rows.
        # store: {}

        """#
}

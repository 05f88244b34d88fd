extension BridgeConfiguration {
    /// A file to start from, with comments, as `mqtt-bridge init` writes it. Has no mistakes.
    public static let starter = #"""
        # Configuration of mqtt-bridge.
        #
        #     mqtt-bridge check FILE           every mistake, with line, column and mend
        #     mqtt-bridge run --config FILE    connects, and prints events as they come
        #
        # Durations have a unit (250ms, 30s, 5m, 2h, 7d), sizes too (512B, 64KiB, 1MiB). ${NAME} and ${NAME:-default}
        # stand for environment variables.

        brokers:
          # The name is for routes and log lines.
          home:
            # mqtt://HOST[:PORT], or encrypted mqtts://HOST[:PORT], or unix:///PATH.
            url: mqtt://127.0.0.1:1883

            # Who this bridge is to the broker: two clients with the same identifier disconnect each other.
            # client_id: my-bridge

            # Who logs in. A password is kept in a file, an environment variable or a systemd credential.
            # username: bridge
            # password: {file: password.txt}
            # password: {env: MQTT_PASSWORD}
            # password: {credential: mqtt-password}

            # For mqtts://, if the broker's certificate does not come from an authority that this system trusts.
            # tls: {ca_file: ca.pem}

        routes:
          # {room} stands for one level of the topic and one segment of the event. Both sides have the same captures.
          # Quotes are needed where a text begins with a brace, and never wrong.
          - name: temperature
            topic: "home/{room}/temperature"
            event: "climate.{room}.temperature"
            # in: from the broker to listeners; out: from emits to the broker; both.
            direction: both

          # {rest...} stands for all that follows.
          - name: switches
            topic: "home/{room}/switch/{rest...}"
            event: "switch.{room}.{rest...}"
            direction: both
            # 0: may be lost; 1: may come twice; 2: neither, as long as both sides keep their memory.
            qos: 1
            # Whether the broker keeps the last message of a topic for whoever subscribes later.
            retain: false

        # Keeps messages with qos 1 or 2 on disk until they are done with: a crash or an absent broker loses none.
        # store: {}

        """#
}

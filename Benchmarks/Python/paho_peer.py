"""paho-mqtt as most programs use it.

    paho_peer.py in|out|echo PORT 4|5 QOS MESSAGES PAYLOAD

The roles are those of Sources/peer-arguments/include/peer_arguments.h.
"""

import sys

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion


class Peer:
    def __init__(self, role, port, version, qos, messages, payload):
        self.role, self.qos, self.messages = role, int(qos), int(messages)
        self.payload = bytes(int(payload))
        self.count = 0
        self.sign = None
        protocol = MQTTv5 if version == "5" else MQTTv311
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        self.client.on_connect = self.connected
        self.client.on_subscribe = lambda client, *_: client.publish("ready")
        self.client.on_message = self.received
        self.client.on_publish = self.published
        self.client.connect("127.0.0.1", int(port))

    def connected(self, client, *_):
        if self.role != "out":
            client.subscribe("bench/+", self.qos)

    def received(self, client, _, message):
        if self.role == "echo":
            client.publish("echo", message.payload, self.qos)
        self.count += 1
        if self.count == self.messages:
            self.sign = client.publish("done", str(self.count)).mid

    def published(self, client, _, identifier, *__):
        self.count += self.role == "out"
        if identifier == self.sign or (self.role == "out" and self.count == self.messages):
            client.disconnect()

    def publish_all(self):
        self.client.loop_start()
        while not self.client.is_connected():
            pass
        for _ in range(self.messages):
            self.client.publish("bench/0", self.payload, self.qos)
        self.client._thread.join()

    def run(self):
        if self.role == "out":
            self.publish_all()
        else:
            self.client.loop_forever()


if __name__ == "__main__":
    Peer(*sys.argv[1:]).run()

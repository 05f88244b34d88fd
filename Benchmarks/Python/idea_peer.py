"""The original idea over MQTT: paho-mqtt in its thread, the bus in the asyncio loop. Called as paho_peer.py; no out."""

import asyncio
import sys

from event_bus import EventBus
from paho_peer import Peer


class Bridge(Peer):
    """Emits what comes in, with the topic as the name."""

    def __init__(self, loop, bus, *arguments):
        self.loop, self.bus = loop, bus
        super().__init__(*arguments)

    def received(self, client, _, message):
        self.loop.call_soon_threadsafe(self.bus.emit, message.topic, message)


async def main(arguments):
    bus = EventBus()
    bridge = Bridge(asyncio.get_running_loop(), bus, *arguments)
    done = asyncio.Event()

    async def count(event):
        if bridge.role == "echo":
            bridge.client.publish("echo", event.payload, bridge.qos)
        bridge.count += 1
        if bridge.count == bridge.messages:
            bridge.client.publish("done", str(bridge.count)).wait_for_publish()
            done.set()

    bus.add_listener("bench/0", count)
    bridge.client.loop_start()
    await done.wait()
    bridge.client.disconnect()
    bridge.client.loop_stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))

"""How long a delivery takes on the bus of the original idea, in nanoseconds: idea_bus.py LISTENERS EVENTS."""

import asyncio
import sys
import time

from event_bus import EventBus


async def main(listeners, events):
    bus = EventBus()
    count = 0
    done = asyncio.Event()

    def make_listener():
        async def listen(_):
            nonlocal count
            count += 1
            if count == listeners * events:
                done.set()

        return listen

    for _ in range(listeners):
        bus.add_listener("bench.0", make_listener())
    start = time.perf_counter_ns()
    for number in range(events):
        bus.emit("bench.0", b"payload")
        # Lets the tasks run now and then, as traffic would.
        if number % 100 == 99:
            await asyncio.sleep(0)
    await done.wait()
    print(f'{{"nanoseconds":{(time.perf_counter_ns() - start) / (listeners * events)}}}')


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))

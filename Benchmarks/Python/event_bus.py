"""The original idea: a bus whose listeners are async functions, kept in a set for each name. Each delivery is a task."""

import asyncio


class EventBus:
    def __init__(self):
        self.listeners = {}
        self.tasks = set()

    def add_listener(self, name, listener):
        self.listeners.setdefault(name, set()).add(listener)

    def remove_listener(self, name, listener):
        self.listeners[name].remove(listener)
        if not self.listeners[name]:
            del self.listeners[name]

    def emit(self, name, event):
        for listener in self.listeners.get(name, ()):
            task = asyncio.create_task(listener(event))
            # The loop holds tasks weakly.
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

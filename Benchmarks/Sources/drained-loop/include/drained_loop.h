// libmosquitto in a poll loop of one's own: reads until the socket is drained, lets everything out in one corked write.
#ifndef DRAINED_LOOP_H
#define DRAINED_LOOP_H

#include <mosquitto.h>
#include <stdbool.h>

struct drained_loop {
    struct mosquitto *mosquitto;
    // Callbacks that came: each of them must count itself, for this tells whether a read has moved anything.
    long progress;
};

// A client, connected to a port of this machine. `context` is for its callbacks, which `set_callbacks` sets.
void drained_loop_open(
    struct drained_loop *loop, const char *identifier, int port, int version, void *context,
    void (*set_callbacks)(struct mosquitto *mosquitto)
);

// Waits until something happens, for a second at most, and reads what is there.
void drained_loop_read(struct drained_loop *loop);

// Writes what is queued.
void drained_loop_flush(struct drained_loop *loop);

// Says DISCONNECT.
void drained_loop_close(struct drained_loop *loop);

#endif

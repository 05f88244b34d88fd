// The packets that come in on one connection.
#ifndef WIRE_STREAM_H
#define WIRE_STREAM_H

#include <stdbool.h>

#include "packets.h"

struct stream {
    int socket;
    uint8_t *buffer;
    size_t count;
    // The other side has gone.
    bool has_ended;
    // How often something arrived.
    long reads;
};

struct stream stream_make(int socket);

// Reads what is there, once, and calls `handle` with each packet that is whole.
void stream_read(struct stream *stream, void (*handle)(void *context, const struct packet *packet), void *context);

// What a broker does at a DISCONNECT: hangs up, which some clients wait for.
void stream_end(struct stream *stream);

#endif

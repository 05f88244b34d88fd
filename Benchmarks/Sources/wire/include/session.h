// A client of ours at a real broker, without a library: it must be faster than the broker.
#ifndef WIRE_SESSION_H
#define WIRE_SESSION_H

#include "stream.h"

// Connects to a broker on this machine, and subscribes to one topic after the other, up to a null pointer.
// Returns once all is granted.
struct stream session_open(int port, int version, int qos, const char *const *topics);

// Waits for something to read for so long, and reads it. Fails when the broker has gone, or the deadline is over.
void session_read(
    struct stream *stream, int milliseconds, double deadline,
    void (*handle)(void *context, const struct packet *packet), void *context
);

#endif

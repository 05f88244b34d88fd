#include "session.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "loopback.h"

static int granted;

static void count_answers(void *context, const struct packet *packet) {
    (void)context;
    if (packet->type == packet_connack || packet->type == packet_suback) granted++;
}

struct stream session_open(int port, int version, int qos, const char *const *topics) {
    struct stream stream = stream_make(connect_to_loopback(port));
    uint8_t out[256];
    char identifier[32];
    snprintf(identifier, sizeof identifier, "bench-%d", getpid());
    write_whole(stream.socket, out, packet_build_connect(identifier, version, out));
    int expected = 1;
    for (; *topics; topics++, expected++)
        write_whole(stream.socket, out, packet_build_subscribe(*topics, qos, version, out));
    double deadline = now_in_seconds() + 5;
    while (granted < expected) session_read(&stream, 100, deadline, count_answers, NULL);
    return stream;
}

void session_read(
    struct stream *stream, int milliseconds, double deadline,
    void (*handle)(void *context, const struct packet *packet), void *context
) {
    struct pollfd entry = {.fd = stream->socket, .events = POLLIN};
    if (poll(&entry, 1, milliseconds) > 0) stream_read(stream, handle, context);
    if (stream->has_ended) fail("the broker has hung up");
    if (now_in_seconds() > deadline) fail("the time is over");
}

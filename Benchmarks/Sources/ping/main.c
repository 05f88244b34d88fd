// Sends through a real broker on a schedule to a client that publishes each payload again, times what comes back, and
// prints the delays as one line of JSON. All of it is at QoS 0.
//
//   ping [--mqtt 4|5] --rate N [--messages N] [--payload BYTES] [--limit SECONDS]
//        -- PROGRAM [ARGUMENT…]
//
// PROGRAM is the client, with the signs that hose describes; it answers on the topic "echo". The delay of a message
// counts from the moment when it was due, not when it was sent: one that had to wait because all stood still counts as
// late.
#define _GNU_SOURCE
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "broker.h"
#include "client.h"
#include "loopback.h"
#include "options.h"
#include "packets.h"
#include "report.h"
#include "session.h"

static struct options options;
static struct client client;
static struct report report;
static bool is_ready, is_handled;
static double *delays;
static double deadline;

static void stop_all(void) {
    if (client.process) client_wait(&client, 0);
    broker_stop();
}

static void handle(void *context, const struct packet *packet) {
    (void)context;
    struct publish publish;
    if (packet->type != packet_publish || !packet_read_publish(packet, options.version, &publish)) return;
    is_ready = is_ready || publish_is_to(&publish, "ready");
    is_handled = is_handled || publish_is_to(&publish, "done");
    double due;
    if (publish_is_to(&publish, "echo") && publish.payload_length >= sizeof due && report.handled < options.messages) {
        memcpy(&due, publish.payload, sizeof due);
        delays[report.handled++] = (now_in_seconds() - due) * 1e6;
    }
}

static void send_at(struct stream *stream, const struct publishes *publishes, long index, double due) {
    struct pollfd entry = {.fd = stream->socket, .events = POLLIN};
    double rest;
    while ((rest = due - now_in_seconds()) > 0) {
        struct timespec wait = {.tv_nsec = (long)(rest * 1e9)};
        if (ppoll(&entry, 1, &wait, NULL) > 0) session_read(stream, 0, deadline, handle, NULL);
    }
    uint8_t *packet = publishes->bytes + (size_t)index % publishes->count * publishes->size;
    memcpy(packet + publishes->payload_offset, &due, sizeof due);
    write_whole(stream->socket, packet, publishes->size);
}

int main(int count, char **arguments) {
    (void)count;
    options = options_parse(arguments + 1);
    if (options.rate == 0) fail("--rate is missing");
    if (options.payload < (long)sizeof(double)) fail("a payload of 8 bytes or more");
    deadline = now_in_seconds() + (double)options.limit;
    before_failure = stop_all;
    // Timers of this thread are to be exact.
    prctl(PR_SET_TIMERSLACK, 1);
    delays = calloc((size_t)options.messages, sizeof *delays);
    struct publishes publishes =
        publishes_build(options.version, 0, "bench/%", 1, (size_t)options.payload, 1000);
    const char *const topics[] = {"ready", "done", "echo", NULL};
    int port = broker_start();
    struct stream stream = session_open(port, options.version, 0, topics);
    client = client_start(options.command, port);
    while (!is_ready) {
        session_read(&stream, 100, deadline, handle, NULL);
        if (client_ended(&client)) fail("the client has ended before it was ready");
    }
    report_begin(&report, &client);
    double first = now_in_seconds() + 0.05;
    for (long i = 0; i < options.messages; i++)
        send_at(&stream, &publishes, i, first + (double)i / (double)options.rate);
    while (!is_handled || report.handled < options.messages) session_read(&stream, 100, deadline, handle, NULL);
    report_end(&report, &client);
    report_delays(&report, delays, (size_t)report.handled);
    int code = client_wait(&client, deadline - now_in_seconds());
    if (code != 0) fail("the client ended with exit code %d", code);
    broker_stop();
    report_print(&report, &options);
    return 0;
}

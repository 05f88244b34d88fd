// A fake broker that floods one topic as fast as its client takes it, and sends another, quiet one on a schedule over
// the same connection. Prints the delays of the quiet topic, and how the flood fared, as one line of JSON.
//
//   fairness [--mqtt 4|5] [--qos 0|1] [--window N] --rate N [--messages N] [--payload BYTES] [--flood on|off]
//            [--send-buffer BYTES] [--limit SECONDS] -- PROGRAM [ARGUMENT…]
//
// PROGRAM is the client; "{port}" among its arguments becomes the port. It publishes to "ready" when it is subscribed;
// when it has had all N quiet messages, their delays to "delays", as 64-bit floating-point numbers of microseconds in
// their order; and to "done" how many messages of the flood it has handled. The flood is at the QoS named, the quiet
// topic at QoS 0. A quiet message carries the moment when it was due, of the clock that never jumps. What lies in our
// send buffer is in front of it too: some megabytes, where the buffer is not limited.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "client.h"
#include "loopback.h"
#include "options.h"
#include "packets.h"
#include "report.h"
#include "stream.h"

static struct options options;
static struct client client;
static struct publishes flood, quiet;
static struct report report;
static struct stream stream;
static bool is_ready, is_handled;
static long flooded, acknowledged, quieted;
static double *delays;
static size_t delays_count;
static double first, deadline;

// What is written next, in whole packets: so little that a quiet message never waits long for the flood before it.
static uint8_t out[16 << 10];
static size_t out_size, out_written;

static void stop_client(void) {
    if (client.process) client_wait(&client, 0);
}

// MARK: What the client sends

static void take_sign(const struct publish *publish) {
    is_ready = is_ready || publish_is_to(publish, "ready");
    if (publish_is_to(publish, "delays")) {
        delays_count = publish->payload_length / sizeof *delays;
        if (delays_count > (size_t)options.messages) fail("more delays than messages");
        memcpy(delays, publish->payload, delays_count * sizeof *delays);
    }
    if (!publish_is_to(publish, "done")) return;
    char digits[20] = {0};
    if (publish->payload_length < sizeof digits) memcpy(digits, publish->payload, publish->payload_length);
    report.handled = atol(digits);
    is_handled = true;
}

static void handle(void *context, const struct packet *packet) {
    (void)context;
    uint8_t answer[512];
    struct publish publish;
    size_t size = 0;
    switch (packet->type) {
    case packet_connect:
        size = packet_answer_connect(packet, options.version, answer);
        if (!size) fail("a CONNECT that is not MQTT %d", options.version);
        break;
    case packet_subscribe:
        if (packet->length + 16 > sizeof answer) fail("a SUBSCRIBE that is too long");
        size = packet_answer_subscribe(packet, options.version, answer);
        break;
    case packet_publish:
        if (!packet_read_publish(packet, options.version, &publish)) fail("a broken PUBLISH");
        take_sign(&publish);
        break;
    case packet_puback: acknowledged++; break;
    case packet_pingreq:
        memcpy(answer, (uint8_t[]){0xD0, 0}, 2);
        size = 2;
        break;
    case packet_disconnect: stream_end(&stream); break;
    default: fail("a packet of type %d", packet->type);
    }
    if (size == 0) return;
    // What has begun to be written goes first: an answer must not land inside a packet.
    write_whole(stream.socket, out + out_written, out_size - out_written);
    out_written = out_size;
    write_whole(stream.socket, answer, size);
}

// MARK: What we send

static double due(void) { return first + (double)quieted / (double)options.rate; }

// The quiet messages that are due, and of the flood as much as there is room for.
static void fill(void) {
    out_size = out_written = 0;
    for (; quieted < options.messages && due() <= now_in_seconds() && out_size + quiet.size <= sizeof out; quieted++) {
        double moment = due();
        memcpy(out + out_size, quiet.bytes, quiet.size);
        memcpy(out + out_size + quiet.payload_offset, &moment, sizeof moment);
        out_size += quiet.size;
    }
    if (!options.is_flooding || quieted == options.messages) return;
    for (; out_size + flood.size <= sizeof out; flooded++) {
        if (options.qos > 0 && flooded == acknowledged + options.window) return;
        memcpy(out + out_size, flood.bytes + (size_t)flooded % flood.count * flood.size, flood.size);
        out_size += flood.size;
    }
}

// Writes until there is nothing to write, or the socket takes no more. Returns whether it took all.
static bool pour(void) {
    while (true) {
        if (out_written == out_size) fill();
        if (out_size == 0) return true;
        ssize_t sent = send(stream.socket, out + out_written, out_size - out_written, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        if (sent < 0) fail("the client hung up: %s", strerror(errno));
        out_written += (size_t)sent;
    }
}

// MARK: The course of a run

// Waits, for 100 ms at most, until something can be read or written or is due, and reads it.
static void turn(bool wants_to_write, double until) {
    struct pollfd entry = {.fd = stream.socket, .events = (short)(POLLIN | (wants_to_write ? POLLOUT : 0))};
    double rest = until - now_in_seconds();
    rest = rest < 0 ? 0 : rest > 0.1 ? 0.1 : rest;
    struct timespec wait = {.tv_nsec = (long)(rest * 1e9)};
    if (ppoll(&entry, 1, &wait, NULL) > 0 && entry.revents & (POLLIN | POLLHUP | POLLERR))
        stream_read(&stream, handle, NULL);
    if (now_in_seconds() > deadline) fail("the time is over after %ld quiet messages", quieted);
    if (client_ended(&client) && !is_handled) fail("the client has ended after %ld quiet messages", quieted);
}

static void accept_client(int listener) {
    struct pollfd entry = {.fd = listener, .events = POLLIN};
    while (poll(&entry, 1, 100) <= 0) {
        if (now_in_seconds() > deadline) fail("the client does not connect");
        if (client_ended(&client)) fail("the client has ended before it connected");
    }
    stream = stream_make(accept_connection(listener));
    if (options.send_buffer > 0 &&
        setsockopt(stream.socket, SOL_SOCKET, SO_SNDBUF, &options.send_buffer, sizeof options.send_buffer) < 0)
        fail("no send buffer of %d bytes: %s", options.send_buffer, strerror(errno));
}

int main(int count, char **arguments) {
    (void)count;
    options = options_parse(arguments + 1);
    if (options.rate == 0) fail("--rate is missing");
    if (options.payload < (long)sizeof(double)) fail("a payload of 8 bytes or more");
    deadline = now_in_seconds() + (double)options.limit;
    before_failure = stop_client;
    // Timers of this thread are to be exact.
    prctl(PR_SET_TIMERSLACK, 1);
    delays = calloc((size_t)options.messages + 1, sizeof *delays);
    size_t payload = (size_t)options.payload;
    flood = publishes_build(options.version, options.qos, "bench/%", 1, payload, 65535);
    quiet = publishes_build(options.version, 0, "quiet/%", 1, payload, 1);
    int port, listener = listen_on_loopback(&port);
    client = client_start(options.command, port);
    accept_client(listener);
    while (!is_ready) turn(false, deadline);
    first = now_in_seconds() + 0.1;
    report_begin(&report, &client);
    while (!is_handled) {
        bool is_clear = pour();
        bool may_flood = options.is_flooding && (options.qos == 0 || flooded < acknowledged + options.window);
        if (quieted == options.messages) turn(!is_clear, deadline);
        else turn(!is_clear || may_flood, due());
    }
    report_end(&report, &client);
    report.reads = stream.reads;
    while (!stream.has_ended) turn(false, deadline);
    int code = client_wait(&client, deadline - now_in_seconds());
    if (code != 0) fail("the client ended with exit code %d", code);
    report_delays(&report, delays, delays_count);
    options.messages = flooded;
    report_print(&report, &options);
    return 0;
}

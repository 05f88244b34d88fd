// A fake broker that takes in: answers CONNECT, reads PUBLISH packets, acknowledges those at QoS 1, all that came
// together in one write, and discards them. Prints what that took as one line of JSON.
//
//   sink [--mqtt 4|5] [--messages N] [--limit SECONDS] -- PROGRAM [ARGUMENT…]
//
// PROGRAM is the client; "{port}" among its arguments becomes the port. The clock, and that of the client's processor
// time, run from the arrival of the first message to that of the last, its acknowledgement included.
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "loopback.h"
#include "options.h"
#include "packets.h"
#include "report.h"
#include "stream.h"

static struct options options;
static struct client client;
static struct report report;
static struct stream stream;
static double deadline;

// What is acknowledged with the next write.
static uint8_t answers[1 << 20];
static size_t answers_size;

static void stop_client(void) {
    if (client.process) client_wait(&client, 0);
}

static void flush(void) {
    write_whole(stream.socket, answers, answers_size);
    answers_size = 0;
}

static void take(const struct packet *packet) {
    struct publish publish;
    if (!packet_read_publish(packet, options.version, &publish)) fail("a broken PUBLISH");
    if (publish.topic_length < 6 || memcmp(publish.topic, "bench/", 6) != 0) return;
    if (report.handled == 0) {
        report_begin(&report, &client);
        stream.reads = 1;
    }
    report.handled++;
    if (publish.qos > 0) answers_size += packet_answer_publish(publish.identifier, answers + answers_size);
    if (answers_size + 16 > sizeof answers) flush();
    if (report.handled != options.messages) return;
    flush();
    report_end(&report, &client);
    report.reads = stream.reads;
}

static void handle(void *context, const struct packet *packet) {
    (void)context;
    uint8_t out[512];
    size_t size = 0;
    switch (packet->type) {
    case packet_connect:
        size = packet_answer_connect(packet, options.version, out);
        if (!size) fail("a CONNECT that is not MQTT %d", options.version);
        break;
    case packet_subscribe:
        if (packet->length + 16 > sizeof out) fail("a SUBSCRIBE that is too long");
        size = packet_answer_subscribe(packet, options.version, out);
        break;
    case packet_publish: take(packet); break;
    case packet_pingreq: write_whole(stream.socket, (uint8_t[]){0xD0, 0}, 2); break;
    case packet_disconnect: stream_end(&stream); break;
    default: fail("a packet of type %d", packet->type);
    }
    write_whole(stream.socket, out, size);
}

static void wait_for(int descriptor) {
    struct pollfd entry = {.fd = descriptor, .events = POLLIN};
    while (poll(&entry, 1, 100) <= 0) {
        if (now_in_seconds() > deadline) fail("nothing moves any more after %ld messages", report.handled);
        if (client_ended(&client)) fail("the client has ended after %ld messages", report.handled);
    }
}

int main(int count, char **arguments) {
    (void)count;
    options = options_parse(arguments + 1);
    deadline = now_in_seconds() + (double)options.limit;
    before_failure = stop_client;
    int port, listener = listen_on_loopback(&port);
    client = client_start(options.command, port);
    wait_for(listener);
    stream = stream_make(accept_connection(listener));
    while (!stream.has_ended) {
        wait_for(stream.socket);
        stream_read(&stream, handle, NULL);
        flush();
    }
    if (report.handled < options.messages) fail("the client left after %ld messages", report.handled);
    int code = client_wait(&client, deadline - now_in_seconds());
    if (code != 0) fail("the client ended with exit code %d", code);
    report_print(&report, &options);
    return 0;
}

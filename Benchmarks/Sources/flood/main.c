// Publishes through a real broker, faster than it can pass on, to a client that counts, and prints what that took as
// one line of JSON.
//
//   flood [--mqtt 4|5] [--qos 0|1] [--window N] [--messages N] [--payload BYTES] [--limit SECONDS]
//         -- PROGRAM [ARGUMENT…]
//
// PROGRAM is the client, with the signs that hose describes. The clock, and that of the client's processor time, run
// from the first byte of the first message to its sign that it has handled all of them.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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
static long acknowledged;
static double deadline;

static void stop_all(void) {
    if (client.process) client_wait(&client, 0);
    broker_stop();
}

static void handle(void *context, const struct packet *packet) {
    (void)context;
    struct publish publish;
    if (packet->type == packet_puback) acknowledged++;
    if (packet->type != packet_publish || !packet_read_publish(packet, options.version, &publish)) return;
    is_ready = is_ready || publish_is_to(&publish, "ready");
    if (!publish_is_to(&publish, "done")) return;
    char digits[20] = {0};
    if (publish.payload_length < sizeof digits) memcpy(digits, publish.payload, publish.payload_length);
    report.handled = atol(digits);
    is_handled = true;
}

// Writes as much of what is allowed as the socket takes. Returns whether that was all.
static bool pour(int socket, const struct publishes *publishes, size_t *written) {
    long allowed = options.qos ? acknowledged + options.window : options.messages;
    if (allowed > options.messages) allowed = options.messages;
    size_t whole = publishes->count * publishes->size, target = (size_t)allowed * publishes->size;
    while (*written < target) {
        size_t offset = *written % whole, piece = target - *written;
        if (piece > whole - offset) piece = whole - offset;
        ssize_t sent = send(socket, publishes->bytes + offset, piece, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        if (sent < 0) fail("the broker hung up: %s", strerror(errno));
        *written += (size_t)sent;
    }
    return true;
}

int main(int count, char **arguments) {
    (void)count;
    options = options_parse(arguments + 1);
    deadline = now_in_seconds() + (double)options.limit;
    before_failure = stop_all;
    struct publishes publishes =
        publishes_build(options.version, options.qos, "bench/%", 1, (size_t)options.payload, 10000);
    int port = broker_start();
    struct stream stream =
        session_open(port, options.version, 0, (const char *const[]){"ready", "done", NULL});
    client = client_start(options.command, port);
    while (!is_ready) {
        session_read(&stream, 100, deadline, handle, NULL);
        if (client_ended(&client)) fail("the client has ended before it was ready");
    }
    report_begin(&report, &client);
    stream.reads = 0;
    size_t written = 0;
    while (!is_handled) {
        bool is_clear = pour(stream.socket, &publishes, &written);
        struct pollfd entry = {.fd = stream.socket, .events = (short)(POLLIN | (is_clear ? 0 : POLLOUT))};
        if (poll(&entry, 1, 100) <= 0 && client_ended(&client)) fail("the client has ended");
        session_read(&stream, 0, deadline, handle, NULL);
    }
    report_end(&report, &client);
    report.reads = stream.reads;
    int code = client_wait(&client, deadline - now_in_seconds());
    if (code != 0) fail("the client ended with exit code %d", code);
    broker_stop();
    report_print(&report, &options);
    return 0;
}

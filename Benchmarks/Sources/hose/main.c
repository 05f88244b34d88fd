// A fake broker that sends: answers CONNECT and SUBSCRIBE, and once the client has said that it is ready, writes
// PUBLISH packets that were built beforehand, as fast as the client takes them (QoS 0) or acknowledges them (QoS 1).
// Prints what that took as one line of JSON.
//
//   hose [--mqtt 4|5] [--qos 0|1] [--window N] [--messages N] [--payload BYTES] [--topics N] [--topic TEMPLATE]
//        [--connections N] [--until handled|acknowledged] [--rate N] [--warm-up N] [--limit SECONDS]
//        -- PROGRAM [ARGUMENT…]
//
// PROGRAM is the client; "{port}" among its arguments becomes the port. It publishes to "ready" when it is subscribed,
// and to "done", with the number of messages as the payload, when it has handled all of them. The clock, and that of
// the client's processor time, run from the first byte of the first message to the sign and, at QoS 1, the last
// PUBACK. With no messages at all, the client is killed as soon as it has subscribed. With a rate, each connection gets so
// many messages a second after those that warm up.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client.h"
#include "loopback.h"
#include "options.h"
#include "packets.h"
#include "report.h"
#include "stream.h"

struct connection {
    struct stream stream;
    // PUBLISH packets that are to be sent, were given free, and were acknowledged; bytes of them that were written.
    long messages, allowed, acknowledged;
    size_t written;
    // Whether a PINGREQ waits for its answer: it must not go out in the middle of a PUBLISH.
    bool owes_ping;
    bool is_pending[65536];
};

static struct options options;
static struct client client;
static struct publishes publishes;
static struct report report;
static struct connection *connections[64];
static int count;
static bool is_subscribed, is_ready, is_handled;
static double deadline;

static void stop_client(void) {
    if (client.process) client_wait(&client, 0);
}

static long acknowledged(void) {
    long sum = 0;
    for (int i = 0; i < count; i++) sum += connections[i]->acknowledged;
    return sum;
}

// MARK: What the client sends

static void take_sign(const struct publish *publish) {
    if (publish_is_to(publish, "ready")) is_ready = true;
    if (!publish_is_to(publish, "done")) return;
    char digits[20] = {0};
    if (publish->payload_length < sizeof digits) memcpy(digits, publish->payload, publish->payload_length);
    report.handled = atol(digits);
    is_handled = true;
}

static void acknowledge(struct connection *connection, const struct packet *packet) {
    unsigned identifier = packet_acknowledged(packet);
    if (!identifier || !connection->is_pending[identifier]) fail("a PUBACK that is a refusal, broken or not due");
    connection->is_pending[identifier] = false;
    connection->acknowledged++;
}

static void handle(void *context, const struct packet *packet) {
    struct connection *connection = context;
    uint8_t short_answer[16], *out = short_answer;
    struct publish publish;
    size_t size = 0;
    switch (packet->type) {
    case packet_connect:
        size = packet_answer_connect(packet, options.version, out);
        if (!size) fail("a CONNECT that is not MQTT %d", options.version);
        break;
    case packet_subscribe:
        out = malloc(packet->length + sizeof short_answer);
        size = packet_answer_subscribe(packet, options.version, out);
        if (!size) fail("a broken SUBSCRIBE");
        if (!is_subscribed) {
            report.subscribed_after = now_in_seconds() - client.started;
            report.peak_subscribed = client_peak(&client);
        }
        is_subscribed = true;
        break;
    case packet_publish:
        if (!packet_read_publish(packet, options.version, &publish)) fail("a broken PUBLISH");
        if (publish.qos > 0) size = packet_answer_publish(publish.identifier, out);
        take_sign(&publish);
        break;
    case packet_puback: acknowledge(connection, packet); break;
    case packet_pingreq: connection->owes_ping = true; break;
    case packet_disconnect: stream_end(&connection->stream); break;
    default: fail("a packet of type %d", packet->type);
    }
    write_whole(connection->stream.socket, out, size);
    if (out != short_answer) free(out);
}

// MARK: What we send

static void allow(struct connection *connection) {
    long most = options.qos == 0 ? connection->messages : connection->acknowledged + options.window;
    if (most > connection->messages) most = connection->messages;
    if (options.rate > 0) {
        long due = options.warm_up + (long)((now_in_seconds() - report.began) * (double)options.rate);
        if (most > due) most = due;
    }
    if (options.qos == 0) connection->allowed = most;
    for (; connection->allowed < most; connection->allowed++)
        connection->is_pending[connection->allowed % (long)publishes.count + 1] = true;
}

static void answer_ping(struct connection *connection) {
    if (!connection->owes_ping || connection->written % publishes.size != 0) return;
    write_whole(connection->stream.socket, (uint8_t[]){0xD0, 0}, 2);
    connection->owes_ping = false;
}

// Writes what is allowed, in as large pieces as the socket takes. Returns whether all of it was taken.
static bool pour(struct connection *connection) {
    size_t whole = publishes.count * publishes.size, target = (size_t)connection->allowed * publishes.size;
    while (connection->written < target && !connection->stream.has_ended) {
        size_t offset = connection->written % whole, piece = target - connection->written;
        // Up to the end of this one.
        if (connection->owes_ping) piece = publishes.size - connection->written % publishes.size;
        if (piece > whole - offset) piece = whole - offset;
        ssize_t sent = send(connection->stream.socket, publishes.bytes + offset, piece, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        if (sent < 0) fail("the client hung up: %s", strerror(errno));
        connection->written += (size_t)sent;
        answer_ping(connection);
    }
    return true;
}

// MARK: The course of a run

static void accept_all(int listener) {
    for (count = 0; count < options.connections; count++) {
        struct pollfd entry = {.fd = listener, .events = POLLIN};
        while (poll(&entry, 1, 100) <= 0) {
            if (now_in_seconds() > deadline) fail("the client does not connect");
            if (client_ended(&client)) fail("the client has ended before it connected");
        }
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) fail("no memory for a connection");
        connection->stream = stream_make(accept_connection(listener));
        connection->messages = options.messages / options.connections;
        if (count == 0) connection->messages += options.messages % options.connections;
        connections[count] = connection;
    }
}

// Waits until something can be read or, where that is wanted, written, and reads it.
static void turn(const bool *wants_to_write) {
    struct pollfd entries[64];
    for (int i = 0; i < count; i++) {
        short events = (short)(POLLIN | (wants_to_write && wants_to_write[i] ? POLLOUT : 0));
        // poll passes over a negative number.
        int socket = connections[i]->stream.has_ended ? -1 : connections[i]->stream.socket;
        entries[i] = (struct pollfd){.fd = socket, .events = events};
    }
    if (poll(entries, (nfds_t)count, options.rate > 0 ? 1 : 100) <= 0) {
        if (now_in_seconds() > deadline) fail("nothing moves any more after %ld acknowledgements", acknowledged());
        if (client_ended(&client)) fail("the client has ended after %ld acknowledgements", acknowledged());
    }
    for (int i = 0; i < count; i++) {
        struct stream *stream = &connections[i]->stream;
        if (entries[i].revents & (POLLIN | POLLHUP | POLLERR)) stream_read(stream, handle, connections[i]);
        answer_ping(connections[i]);
    }
}

// Whether all connections have ended: one may be closed before the sign has come on another.
static bool has_ended(void) {
    for (int i = 0; i < count; i++) {
        if (!connections[i]->stream.has_ended) return false;
    }
    return true;
}

static bool is_complete(void) {
    if (options.qos > 0 && acknowledged() < options.messages) return false;
    return is_handled || options.ends_acknowledged;
}

static void send_all(void) {
    report_begin(&report, &client);
    for (int i = 0; i < count; i++) connections[i]->stream.reads = 0;
    bool wants_to_write[64];
    while (!is_complete()) {
        size_t written = 0;
        for (int i = 0; i < count; i++) {
            allow(connections[i]);
            wants_to_write[i] = !pour(connections[i]);
            written += connections[i]->written;
        }
        if (report.resident_warm == 0 && written >= (size_t)options.messages * publishes.size / 10)
            report.resident_warm = client_resident(&client);
        turn(wants_to_write);
        if (has_ended() && !is_complete()) fail("the client left after %ld acknowledgements", acknowledged());
    }
    report_end(&report, &client);
    if (!is_handled) report.handled = options.messages;
    for (int i = 0; i < count; i++) report.reads += connections[i]->stream.reads;
}

static void wait_for_the_end(void) {
    if (options.messages == 0) {
        stop_client();
        return;
    }
    // It may have work to do still, and says when it goes.
    while (!has_ended()) turn(NULL);
    int code = client_wait(&client, deadline - now_in_seconds());
    if (code != 0) fail("the client ended with exit code %d", code);
}

int main(int argument_count, char **arguments) {
    (void)argument_count;
    options = options_parse(arguments + 1);
    deadline = now_in_seconds() + (double)options.limit;
    before_failure = stop_client;
    // Enough for a window and for large writes; no more than there are identifiers where those count.
    size_t least = ((size_t)8 << 20) / ((size_t)options.payload + 64);
    if (least > 65535) least = 65535;
    if (options.qos > 0 && least < (size_t)options.window) least = (size_t)options.window;
    if (options.qos > 0 && options.topics > 1) least -= least % (size_t)options.topics;
    publishes = publishes_build(
        options.version, options.qos, options.topic, (size_t)options.topics, (size_t)options.payload, least
    );
    if (options.qos > 0 && (publishes.count > 65535 || publishes.count < (size_t)options.window))
        fail("%ld topics do not go with a window of %ld", options.topics, options.window);
    int port, listener = listen_on_loopback(&port);
    client = client_start(options.command, port);
    accept_all(listener);
    while (!(options.messages == 0 ? is_subscribed : is_ready)) {
        turn(NULL);
        if (has_ended()) fail("the client left before it was ready");
    }
    if (options.messages > 0) send_all();
    wait_for_the_end();
    report_print(&report, &options);
    return 0;
}

// A fake broker for one client: answers CONNECT and SUBSCRIBE, then writes PUBLISH packets at QoS 1 that were built
// beforehand, as fast as the client acknowledges them, and prints what that took as one line of JSON.
//
//   hose [--mqtt 4|5] [--window N] [--messages N] [--payload BYTES] [--limit SECONDS] -- PROGRAM [ARGUMENT…]
//
// PROGRAM is the client; "{port}" among its arguments becomes the port. The clock, and that of the client's processor
// time, run from the first byte of the first PUBLISH to the PUBACK of the last.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "packets.h"

struct options {
    int version;
    long window, messages, payload, limit;
    char **command;
};

struct hose {
    struct options options;
    struct client client;
    struct publishes publishes;
    int socket;
    bool is_open, has_left;
    // PUBLISH packets that were given free, and bytes of them that were written.
    long allowed, acknowledged;
    size_t written;
    bool pending[65536];
    double deadline, began, ended, processor_began, processor_ended;
    long reads;
};

static struct hose hose;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("hose: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    if (hose.client.process) client_wait(&hose.client, 0);
    exit(1);
}

static long number(const char *text, long least, long most) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end || value < least || value > most) fail("%s is not a number from %ld to %ld", text, least, most);
    return value;
}

static struct options parse(char **arguments) {
    struct options options = {.version = 5, .window = 20, .messages = 10000, .payload = 64, .limit = 60};
    for (; *arguments && strcmp(*arguments, "--") != 0; arguments += 2) {
        if (!arguments[1]) fail("%s needs a value", *arguments);
        if (strcmp(*arguments, "--mqtt") == 0) options.version = (int)number(arguments[1], 4, 5);
        else if (strcmp(*arguments, "--window") == 0) options.window = number(arguments[1], 1, 60000);
        else if (strcmp(*arguments, "--messages") == 0) options.messages = number(arguments[1], 1, 100000000);
        else if (strcmp(*arguments, "--payload") == 0) options.payload = number(arguments[1], 0, 1 << 20);
        else if (strcmp(*arguments, "--limit") == 0) options.limit = number(arguments[1], 1, 3600);
        else fail("unknown option %s", *arguments);
    }
    if (!*arguments || !arguments[1]) fail("which program? hose [OPTION VALUE]… -- PROGRAM [ARGUMENT…]");
    options.command = arguments + 1;
    return options;
}

static void wait_for(int descriptor, short events) {
    struct pollfd poll_entry = {.fd = descriptor, .events = events};
    while (poll(&poll_entry, 1, 100) <= 0) {
        if (now_in_seconds() > hose.deadline) fail("nothing moves any more after %ld messages", hose.acknowledged);
        if (client_ended(&hose.client)) fail("the client has ended after %ld messages", hose.acknowledged);
    }
}

static int listen_on_loopback(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        fail("cannot listen: %s", strerror(errno));
    *port = ntohs(address.sin_port);
    return listener;
}

static void answer(const uint8_t *bytes, size_t count) {
    if (send(hose.socket, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) fail("an answer does not fit");
}

static void allow(void) {
    long most = hose.acknowledged + hose.options.window;
    if (most > hose.options.messages) most = hose.options.messages;
    for (; hose.allowed < most; hose.allowed++) hose.pending[hose.allowed % (long)hose.publishes.count + 1] = true;
}

static void acknowledge(const struct packet *packet) {
    unsigned identifier = packet_acknowledged(packet);
    if (!identifier || !hose.pending[identifier]) fail("a PUBACK that is a refusal, broken or not due");
    hose.pending[identifier] = false;
    hose.acknowledged++;
}

static void handle(const struct packet *packet) {
    uint8_t out[512];
    size_t size = 0;
    switch (packet->type) {
    case packet_connect:
        size = packet_answer_connect(packet, hose.options.version, out);
        if (!size) fail("a CONNECT that is not MQTT %d", hose.options.version);
        break;
    case packet_subscribe:
        size = packet_answer_subscribe(packet, hose.options.version, out);
        if (!size) fail("a broken SUBSCRIBE");
        hose.is_open = true;
        break;
    case packet_puback: acknowledge(packet); break;
    case packet_pingreq: answer((const uint8_t[]){0xD0, 0}, 2); break;
    case packet_disconnect: hose.has_left = true; break;
    default: fail("a packet of type %d", packet->type);
    }
    if (size) answer(out, size);
}

// Reads what is there, and deals with the packets that are whole.
static void take_in(void) {
    static uint8_t buffer[64 * 1024];
    static size_t count = 0;
    ssize_t got = recv(hose.socket, buffer + count, sizeof buffer - count, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        hose.has_left = true;
        return;
    }
    hose.reads += hose.is_open;
    count += (size_t)got;
    size_t position = 0;
    long size;
    struct packet packet;
    while ((size = packet_parse(buffer + position, count - position, &packet)) > 0) {
        handle(&packet);
        position += (size_t)size;
    }
    if (size < 0) fail("what the client sends is no MQTT");
    count -= position;
    memmove(buffer, buffer + position, count);
}

// Writes what is allowed, in as large pieces as the socket takes. Returns whether all of it was taken.
static bool pour(void) {
    const struct publishes *all = &hose.publishes;
    size_t whole = all->count * all->size, target = (size_t)hose.allowed * all->size;
    while (hose.written < target) {
        size_t offset = hose.written % whole, piece = target - hose.written;
        if (piece > whole - offset) piece = whole - offset;
        ssize_t sent = send(hose.socket, all->bytes + offset, piece, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        if (sent < 0) fail("the client hung up: %s", strerror(errno));
        hose.written += (size_t)sent;
    }
    return true;
}

static void serve(void) {
    while (hose.acknowledged < hose.options.messages) {
        bool is_clear = true;
        if (hose.is_open) {
            if (hose.began == 0) {
                hose.processor_began = client_processor_time(&hose.client);
                hose.began = now_in_seconds();
            }
            allow();
            is_clear = pour();
        }
        wait_for(hose.socket, (short)(POLLIN | (is_clear ? 0 : POLLOUT)));
        take_in();
        if (hose.has_left && hose.acknowledged < hose.options.messages)
            fail("the client left after %ld messages", hose.acknowledged);
    }
    hose.ended = now_in_seconds();
    hose.processor_ended = client_processor_time(&hose.client);
}

int main(int count, char **arguments) {
    (void)count;
    hose.options = parse(arguments + 1);
    hose.deadline = now_in_seconds() + (double)hose.options.limit;
    hose.publishes = publishes_build(hose.options.version, (size_t)hose.options.payload);
    int port, one = 1;
    int listener = listen_on_loopback(&port);
    hose.client = client_start(hose.options.command, port);
    wait_for(listener, POLLIN);
    hose.socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (hose.socket < 0) fail("cannot accept: %s", strerror(errno));
    setsockopt(hose.socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    serve();
    // The client may have work to do still, and says when it goes.
    while (!hose.has_left) {
        wait_for(hose.socket, POLLIN);
        take_in();
    }
    int code = client_wait(&hose.client, hose.deadline - now_in_seconds());
    if (code != 0) fail("the client ended with exit code %d", code);
    double seconds = hose.ended - hose.began;
    printf(
        "{\"messages\":%ld,\"window\":%ld,\"seconds\":%.6f,\"messagesPerSecond\":%.1f,\"processorSeconds\":%.6f,"
        "\"reads\":%ld}\n",
        hose.options.messages, hose.options.window, seconds, (double)hose.options.messages / seconds,
        hose.processor_ended - hose.processor_began, hose.reads
    );
    return 0;
}

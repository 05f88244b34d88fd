#define _GNU_SOURCE
#include "drained_loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "peer_arguments.h"

static void check(const char *operation, int result) {
    if (result != MOSQ_ERR_SUCCESS) peer_fail(operation, mosquitto_strerror(result));
}

void drained_loop_open(
    struct drained_loop *loop, const char *identifier, int port, int version, void *context,
    void (*set_callbacks)(struct mosquitto *mosquitto)
) {
    mosquitto_lib_init();
    loop->mosquitto = mosquitto_new(identifier, true, context);
    if (!loop->mosquitto) peer_fail("mosquitto_new", strerror(errno));
    mosquitto_int_option(loop->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, version);
    mosquitto_int_option(loop->mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
    // What callbacks queue, acknowledgements too, leaves with our next mosquitto_loop_write.
    mosquitto_threaded_set(loop->mosquitto, true);
    set_callbacks(loop->mosquitto);
    check("connect", mosquitto_connect(loop->mosquitto, "127.0.0.1", port, 30));
}

// EAGAIN alone does not mean drained: the library's wake-up socket, which nobody reads, leaves it behind as well.
static void drain(struct drained_loop *loop) {
    long before;
    do {
        before = loop->progress;
        errno = 0;
        check("read", mosquitto_loop_read(loop->mosquitto, 1));
    } while (loop->progress != before || errno != EAGAIN);
}

void drained_loop_read(struct drained_loop *loop) {
    short events = (short)(POLLIN | (mosquitto_want_write(loop->mosquitto) ? POLLOUT : 0));
    struct pollfd entry = {.fd = mosquitto_socket(loop->mosquitto), .events = events};
    int ready = poll(&entry, 1, 1000);
    if (ready == 0) mosquitto_loop_misc(loop->mosquitto);
    if (entry.revents & (POLLIN | POLLHUP | POLLERR)) drain(loop);
}

void drained_loop_flush(struct drained_loop *loop) {
    if (!mosquitto_want_write(loop->mosquitto)) return;
    int socket = mosquitto_socket(loop->mosquitto), on = 1, off = 0;
    setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    check("write", mosquitto_loop_write(loop->mosquitto, 1));
    setsockopt(socket, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
}

void drained_loop_close(struct drained_loop *loop) {
    mosquitto_disconnect(loop->mosquitto);
    drained_loop_flush(loop);
    mosquitto_destroy(loop->mosquitto);
}

#define _GNU_SOURCE
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void (*before_failure)(void);

_Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    if (before_failure) before_failure();
    exit(1);
}

double now_in_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int prepared(int connection) {
    int one = 1;
    if (connection < 0) fail("cannot connect: %s", strerror(errno));
    fcntl(connection, F_SETFL, O_NONBLOCK);
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return connection;
}

int listen_on_loopback(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 64) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        fail("cannot listen: %s", strerror(errno));
    *port = ntohs(address.sin_port);
    return listener;
}

int accept_connection(int listener) { return prepared(accept4(listener, NULL, NULL, SOCK_CLOEXEC)); }

static int try_to_connect(int port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)
    };
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection >= 0 && connect(connection, (struct sockaddr *)&address, sizeof address) == 0) return connection;
    close(connection);
    return -1;
}

int connect_to_loopback(int port) { return prepared(try_to_connect(port)); }

bool can_connect(int port) {
    int connection = try_to_connect(port);
    if (connection < 0) return false;
    close(connection);
    return true;
}

void write_whole(int socket, const void *bytes, size_t count) {
    const char *rest = bytes;
    while (count > 0) {
        ssize_t sent = send(socket, rest, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd entry = {.fd = socket, .events = POLLOUT};
            if (poll(&entry, 1, 10000) <= 0) fail("the other side takes nothing");
            continue;
        }
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) fail("the other side hung up: %s", strerror(errno));
        rest += sent;
        count -= (size_t)sent;
    }
}

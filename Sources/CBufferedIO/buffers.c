#include "CBufferedIO.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Holds some hundred small messages: what one call brings or takes.
#define CAPACITY 65536
// Descriptors from here on are not buffered.
#define DESCRIPTORS 65536

struct buffers {
    bool is_used, writes_through;
    // What was received and not read: from `unread` to `received` in `in`.
    size_t unread, received;
    // What was written and not sent: from the start of `out`.
    size_t unsent;
    char in[CAPACITY];
    char out[CAPACITY];
};

// Stands for the library's own pair of sockets, which nobody reads.
static struct buffers wake_up;

static _Atomic(struct buffers *) table[DESCRIPTORS];
static _Thread_local bool is_making;

static struct buffers *find(int descriptor) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS) return NULL;
    return atomic_load_explicit(&table[descriptor], memory_order_acquire);
}

static struct buffers *attached(int descriptor) {
    struct buffers *buffers = find(descriptor);
    return buffers == &wake_up ? NULL : buffers;
}

static void forget(int descriptor) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS) return;
    struct buffers *buffers = atomic_exchange_explicit(&table[descriptor], NULL, memory_order_acq_rel);
    if (buffers != &wake_up) free(buffers);
}

static bool put(int descriptor, struct buffers *buffers) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS) return false;
    atomic_store_explicit(&table[descriptor], buffers, memory_order_release);
    return true;
}

// Returns 0, or the error that left something unsent, which is in `errno` too.
static int flush(int descriptor, struct buffers *buffers) {
    size_t sent = 0;
    int error = 0;
    while (sent < buffers->unsent && error == 0) {
        ssize_t count = send(descriptor, buffers->out + sent, buffers->unsent - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) sent += (size_t)count;
        else if (errno != EINTR) error = errno;
    }
    buffers->unsent -= sent;
    if (sent > 0 && buffers->unsent > 0) memmove(buffers->out, buffers->out + sent, buffers->unsent);
    return error;
}

ssize_t buffered_read(int descriptor, void *bytes, size_t count) {
    struct buffers *buffers = attached(descriptor);
    if (!buffers) return read(descriptor, bytes, count);
    if (buffers->unread == buffers->received) {
        buffers->is_used = true;
        // The body of a large message: not copied twice.
        if (count >= CAPACITY) return read(descriptor, bytes, count);
        ssize_t received = read(descriptor, buffers->in, CAPACITY);
        if (received <= 0) return received;
        buffers->unread = 0;
        buffers->received = (size_t)received;
    }
    size_t available = buffers->received - buffers->unread;
    if (count > available) count = available;
    memcpy(bytes, buffers->in + buffers->unread, count);
    buffers->unread += count;
    return (ssize_t)count;
}

ssize_t buffered_write(int descriptor, const void *bytes, size_t count) {
    struct buffers *buffers = find(descriptor);
    if (!buffers) return write(descriptor, bytes, count);
    if (buffers == &wake_up) return (ssize_t)count;
    if (buffers->writes_through || count > CAPACITY - buffers->unsent) {
        if (flush(descriptor, buffers) != 0) return -1;
        if (buffers->writes_through || count > CAPACITY) return send(descriptor, bytes, count, MSG_NOSIGNAL);
    }
    memcpy(buffers->out + buffers->unsent, bytes, count);
    buffers->unsent += count;
    return (ssize_t)count;
}

int buffered_close(int descriptor) {
    // First: another thread may get the number as soon as it is free.
    forget(descriptor);
    return close(descriptor);
}

int buffered_socketpair(int domain, int type, int protocol, int *pair) {
    int result = socketpair(domain, type, protocol, pair);
    if (result == 0 && is_making) {
        put(pair[0], &wake_up);
        put(pair[1], &wake_up);
    }
    return result;
}

void buffered_io_set_making(bool making) { is_making = making; }

bool buffered_io_attach(int descriptor) {
    // Not cleared: pages that no traffic needs are never touched.
    struct buffers *buffers = malloc(sizeof *buffers);
    if (!buffers) return false;
    buffers->is_used = buffers->writes_through = false;
    buffers->unread = buffers->received = buffers->unsent = 0;
    forget(descriptor);
    if (put(descriptor, buffers)) return true;
    free(buffers);
    return false;
}

void buffered_io_detach(int descriptor) { forget(descriptor); }

bool buffered_io_is_used(int descriptor) {
    struct buffers *buffers = attached(descriptor);
    return buffers && buffers->is_used;
}

size_t buffered_io_unread(int descriptor) {
    struct buffers *buffers = attached(descriptor);
    return buffers ? buffers->received - buffers->unread : 0;
}

size_t buffered_io_unsent(int descriptor) {
    struct buffers *buffers = attached(descriptor);
    return buffers ? buffers->unsent : 0;
}

int buffered_io_flush(int descriptor) {
    struct buffers *buffers = attached(descriptor);
    return buffers ? flush(descriptor, buffers) : 0;
}

void buffered_io_write_through(int descriptor) {
    struct buffers *buffers = attached(descriptor);
    if (buffers) buffers->writes_through = true;
}

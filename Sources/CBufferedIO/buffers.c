#include "CBufferedIO.h"

#include <CInterposition.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// The size of each buffer in bytes: enough for some hundred small messages. Larger reads and writes bypass it.
#define CAPACITY 65536
// Descriptors with this or a higher number are not buffered.
#define DESCRIPTORS 65536

struct buffers {
    bool is_used, writes_through;
    // Received and not yet read by the library: `in[unread..<received]`.
    size_t unread, received;
    // Written by the library and not yet sent: `out[0..<unsent]`.
    size_t unsent;
    char in[CAPACITY];
    char out[CAPACITY];
};

// A marker for the library's wake-up pair of sockets, which has no reader.
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

// Returns 0 if all bytes were sent, else the error, which is also in `errno`.
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
        // The body of a large message: avoid a second copy.
        if (count >= CAPACITY) return read(descriptor, bytes, count);
        ssize_t received = read(descriptor, buffers->in, CAPACITY);
        if (received <= 0) return received;
        buffers->unread = 0;
        buffers->received = (size_t)received;
    }
    // Fast path: most calls read one byte of a header.
    if (count == 1) {
        *(char *)bytes = buffers->in[buffers->unread++];
        return 1;
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
    // Before close(2): another thread may reuse the number as soon as it is free.
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

const char *buffered_io_install(void) {
    static const struct redirected_call calls[] = {
        {"write", (const void *)write, (const void *)buffered_write},
        {"close", (const void *)close, (const void *)buffered_close},
        {"socketpair", (const void *)socketpair, (const void *)buffered_socketpair},
    };
    static const char *const bypasses[] = {"send", "sendto", "sendmsg", "writev"};
    const char *reason = redirect_mosquitto_calls(
        calls, sizeof calls / sizeof *calls, bypasses, sizeof bypasses / sizeof *bypasses
    );
    // No descriptor is attached yet, so all reads still go to the system.
    if (!reason) packet_gate_read_by(buffered_read);
    return reason;
}

void buffered_io_set_making(bool making) { is_making = making; }

bool buffered_io_attach(int descriptor) {
    // malloc instead of calloc: unused pages are never touched.
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

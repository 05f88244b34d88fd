// Buffers between libmosquitto and the sockets of its connections, without a change to the library.
//
// libmosquitto 2.0 reads a packet in three system calls or more and writes one byte into a pair of sockets for each
// packet that it queues (2.0.11, packet_mosq.c). Here its own calls of `read`, `write`, `close` and `socketpair` are
// redirected, by its jump slots: nobody else's calls in the process are touched. Descriptors that were not attached go
// straight to the kernel.
//
// A descriptor that is attached belongs to one thread at a time, which alone lets the library read and write it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Redirects the library's calls. Returns NULL, or why they go on as before. Once a process, before it connects.
const char *_Nullable buffered_io_install(void);

// Whether the handles that the library makes on this thread from now on are ours: nobody reads the pair of sockets of
// such a handle, and the bytes that would wake such a reader are not written.
void buffered_io_set_making(bool making);

// Gives a connected socket its buffers, until the library closes it or they are taken away. False without memory.
bool buffered_io_attach(int descriptor);
// Only as long as nothing is in the buffers.
void buffered_io_detach(int descriptor);

// Whether the library has read through the buffer: what tells that it can be relied on.
bool buffered_io_is_used(int descriptor);
// How many bytes were received and not read by the library yet: they do not make the socket readable.
size_t buffered_io_unread(int descriptor);
// How many bytes the library has written which have not left yet.
size_t buffered_io_unsent(int descriptor);
// Sends what has not left. Returns 0, or the system's error; EAGAIN when the socket takes no more for now.
int buffered_io_flush(int descriptor);
// From now on what the library writes goes to the socket before the call returns, behind what was buffered: for the
// packet after which the library closes the socket by itself.
void buffered_io_write_through(int descriptor);

// What the library calls instead of the system's functions of these names.
ssize_t buffered_read(int descriptor, void *_Nonnull bytes, size_t count);
ssize_t buffered_write(int descriptor, const void *_Nonnull bytes, size_t count);
int buffered_close(int descriptor);
int buffered_socketpair(int domain, int type, int protocol, int *_Nonnull pair);

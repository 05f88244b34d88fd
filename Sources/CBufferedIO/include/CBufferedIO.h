// Buffers between libmosquitto and the sockets of its connections, without a change to the library.
//
// libmosquitto 2.0 reads a packet in at least three system calls and writes one byte into a pair of sockets for each
// packet that it queues (2.0.11, packet_mosq.c). This module redirects the library's calls of `read`, `write`, `close`
// and `socketpair` (see CInterposition). Calls of other code in the process are not affected. Calls for descriptors that
// are not attached go to the kernel.
//
// Only one thread at a time may use an attached descriptor or let the library use it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Redirects the library's calls. Returns NULL, or the reason why the calls are unchanged. Call it once in a process,
// before the first connection and after `packet_gate_install`, which redirects `read`.
const char *_Nullable buffered_io_install(void);

// Marks the handles that the library creates on this thread from now on as ours (true) or not (false). The pair of
// sockets of such a handle has no reader, so its wake-up bytes are not written.
void buffered_io_set_making(bool making);

// Attaches buffers to a connected socket until the library closes it or `buffered_io_detach`. Returns false if the
// memory is exhausted or the number of the descriptor is too high.
bool buffered_io_attach(int descriptor);
// Detaches the buffers, which must be empty: their content is lost.
void buffered_io_detach(int descriptor);

// Whether the library has read through the buffer, which proves that the redirection works.
bool buffered_io_is_used(int descriptor);
// The number of received bytes that the library has not read yet. They do not make the socket readable.
size_t buffered_io_unread(int descriptor);
// The number of bytes that the library has written and that are not sent yet.
size_t buffered_io_unsent(int descriptor);
// Sends the unsent bytes. Returns 0 or the system's error; EAGAIN if the socket's send buffer is full.
int buffered_io_flush(int descriptor);
// From now on each write of the library goes to the socket, after the buffered bytes, before the call returns. For the
// last packet before the library closes the socket by itself.
void buffered_io_write_through(int descriptor);

// The replacements for the system functions `read`, `write`, `close` and `socketpair`.
ssize_t buffered_read(int descriptor, void *_Nonnull bytes, size_t count);
ssize_t buffered_write(int descriptor, const void *_Nonnull bytes, size_t count);
int buffered_close(int descriptor);
int buffered_socketpair(int domain, int type, int protocol, int *_Nonnull pair);

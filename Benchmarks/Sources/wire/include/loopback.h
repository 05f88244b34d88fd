// Sockets on 127.0.0.1, time, and the end of a program that cannot go on.
#ifndef WIRE_LOOPBACK_H
#define WIRE_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

// Seconds of a clock that never jumps.
double now_in_seconds(void);

// A listening socket on a free port.
int listen_on_loopback(int *port);

// The next connection: does not block, and sends at once.
int accept_connection(int listener);

// A connection of ours, of the same kind.
int connect_to_loopback(int port);

// Whether somebody listens there.
bool can_connect(int port);

// Writes all of it, waiting where it must.
void write_whole(int socket, const void *bytes, size_t count);

// Says why on standard error, and ends the program with code 1, its client before it.
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Called before `fail` ends the program.
extern void (*before_failure)(void);

#endif

// SIGPIPE, which libmosquitto raises when it writes to a closed connection. Before 2.0.15 the library itself ignores
// the signal for the whole process.
#pragma once
#include <stdbool.h>

// Ignores SIGPIPE in this process unless the program has set another action. Returns whether the signal is ignored now.
bool ignore_broken_pipes(void);

#define _GNU_SOURCE
#include "peer_arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void peer_fail(const char *operation, const char *detail) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, operation, detail);
    exit(1);
}

struct peer_arguments peer_arguments_parse(int count, char **arguments) {
    if (count != 7) peer_fail("usage", "PROGRAM in|out|echo PORT 4|5 QOS MESSAGES PAYLOAD");
    struct peer_arguments parsed = {
        .is_in = strcmp(arguments[1], "in") == 0,
        .is_out = strcmp(arguments[1], "out") == 0,
        .is_echo = strcmp(arguments[1], "echo") == 0,
        .port = atoi(arguments[2]),
        .version = atoi(arguments[3]),
        .qos = atoi(arguments[4]),
        .messages = atol(arguments[5]),
        .payload = atoi(arguments[6]),
    };
    if (!parsed.is_in && !parsed.is_out && !parsed.is_echo) peer_fail(arguments[1], "in, out or echo");
    return parsed;
}

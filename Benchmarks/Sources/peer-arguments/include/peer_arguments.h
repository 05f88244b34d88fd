// How the C programs that the bridge is measured against are called.
//
//   PROGRAM in|out|echo PORT 4|5 QOS MESSAGES PAYLOAD
//
// in    counts the messages of bench/+, says "ready" when it is subscribed and "done" when it has counted all
// out   publishes so many messages to bench/0, and ends when the broker has them
// echo  as in, and publishes each payload again to echo
#ifndef PEER_ARGUMENTS_H
#define PEER_ARGUMENTS_H

#include <stdbool.h>

struct peer_arguments {
    bool is_in, is_out, is_echo;
    int port;
    // 4 for MQTT 3.1.1, or 5.
    int version;
    int qos;
    long messages;
    // Bytes.
    int payload;
};

// Ends the program where they are wrong.
struct peer_arguments peer_arguments_parse(int count, char **arguments);

// Says why on standard error, and ends the program with code 1.
_Noreturn void peer_fail(const char *operation, const char *detail);

#endif

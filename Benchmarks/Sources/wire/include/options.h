// The options that the measuring programs have in common.
#ifndef WIRE_OPTIONS_H
#define WIRE_OPTIONS_H

#include <stdbool.h>

struct options {
    // 4 for MQTT 3.1.1, or 5.
    int version;
    int qos;
    // The most messages that are not acknowledged, on each connection.
    long window;
    // In all.
    long messages;
    // Bytes.
    long payload;
    // How many topics; "%" in the template becomes the number of each, all of one width.
    long topics;
    const char *topic;
    // How many connections the client makes.
    long connections;
    // Messages per second, where there is a schedule; 0 for as many as the client takes.
    long rate;
    // Messages that come before the schedule begins.
    long warm_up;
    // Whether the clock ends with the last acknowledgement, without waiting for the client's sign.
    bool ends_acknowledged;
    // Whether another topic is flooded.
    bool is_flooding;
    // What may wait in the socket to be sent, in bytes; 0 for as much as the system lets wait.
    int send_buffer;
    // Seconds, after which all of it is given up.
    long limit;
    // The client and its arguments.
    char **command;
};

// Reads [--OPTION VALUE]… -- PROGRAM [ARGUMENT…].
struct options options_parse(char **arguments);

#endif

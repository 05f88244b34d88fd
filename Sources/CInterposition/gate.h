// The state of a connection, shared by gate.c and packets.c.
#pragma once
#include "packet_gate.h"

#define IDENTIFIERS 65536

struct packet_gate {
    // The current packet: the part that the library reads next, and the parts that it has read.
    enum { AT_COMMAND, AT_LENGTH, AT_BODY } phase;
    uint8_t command, shift;
    uint32_t length, left;
    uint8_t *body;
    // The packets and bytes that the turn still permits.
    uint32_t packets, bytes;
    uint32_t answers;
    bool is_turn_over;
    struct packet_limits limits;
    // Messages at QoS 2 before PUBREL: the size of each by its packet identifier (allocated with the first message),
    // their number, and their total size.
    uint32_t *unreleased;
    uint32_t unreleased_count;
    uint64_t unreleased_bytes;
    // The number that belongs to the result of `packet_gate_check`.
    uint64_t found;
    enum packet_breach breach;
    uint64_t size;
};

// What a broker says and understands of MQTT 3.1.1 and 5, as far as the hose needs it.
#ifndef HOSE_PACKETS_H
#define HOSE_PACKETS_H

#include <stddef.h>
#include <stdint.h>

enum packet_type {
    packet_connect = 1,
    packet_puback = 4,
    packet_subscribe = 8,
    packet_pingreq = 12,
    packet_disconnect = 14,
};

struct packet {
    enum packet_type type;
    const uint8_t *body;
    size_t length;
};

// The first packet in `bytes`. Returns its whole size, 0 when it is not complete, -1 when it is none.
long packet_parse(const uint8_t *bytes, size_t count, struct packet *packet);

// The packet identifier of a PUBACK; 0 when it is a refusal or broken.
unsigned packet_acknowledged(const struct packet *packet);

// The answers: each writes to `out`, which has room for 512 bytes, and returns the size, or 0 for a broken question.
size_t packet_answer_connect(const struct packet *packet, int version, uint8_t *out);
size_t packet_answer_subscribe(const struct packet *packet, int version, uint8_t *out);

// PUBLISH packets at QoS 1 with the identifiers 1, 2 … in one piece of memory, all of one size.
struct publishes {
    uint8_t *bytes;
    size_t count;
    size_t size;
};

struct publishes publishes_build(int version, size_t payload);

#endif

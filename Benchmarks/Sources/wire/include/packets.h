// MQTT 3.1.1 and 5, as far as the measuring programs need it.
#ifndef WIRE_PACKETS_H
#define WIRE_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packet_type {
    packet_connect = 1,
    packet_connack = 2,
    packet_publish = 3,
    packet_puback = 4,
    packet_subscribe = 8,
    packet_suback = 9,
    packet_pingreq = 12,
    packet_disconnect = 14,
};

struct packet {
    enum packet_type type;
    uint8_t flags;
    const uint8_t *body;
    size_t length;
};

// The first packet in `bytes`. Returns its whole size, 0 when it is not complete, -1 when it is none.
long packet_parse(const uint8_t *bytes, size_t count, struct packet *packet);

// The packet identifier of a PUBACK; 0 when it is a refusal or broken.
unsigned packet_acknowledged(const struct packet *packet);

// What a PUBLISH says. The topic is not terminated.
struct publish {
    int qos;
    unsigned identifier;
    const char *topic;
    size_t topic_length;
    const uint8_t *payload;
    size_t payload_length;
};

// Returns whether it is a whole one.
bool packet_read_publish(const struct packet *packet, int version, struct publish *publish);

bool publish_is_to(const struct publish *publish, const char *topic);

// The answers. Each returns the size of what it wrote to `out`, or 0 for a broken question.
// For a SUBSCRIBE `out` needs as much room as the question takes, and 16 bytes.
size_t packet_answer_connect(const struct packet *packet, int version, uint8_t *out);
size_t packet_answer_subscribe(const struct packet *packet, int version, uint8_t *out);
size_t packet_answer_publish(unsigned identifier, uint8_t *out);

// What a client of ours says. Each returns the size of what it wrote to `out`, which has room for 256 bytes.
size_t packet_build_connect(const char *identifier, int version, uint8_t *out);
size_t packet_build_subscribe(const char *filter, int qos, int version, uint8_t *out);

// PUBLISH packets in one piece of memory, all of one size: to one topic after the other, with the identifiers 1, 2 ….
struct publishes {
    uint8_t *bytes;
    size_t count;
    size_t size;
    // Where the payload begins in each.
    size_t payload_offset;
};

// At least `least` of them, in whole rounds of the topics; "%" in `topic` becomes the number.
struct publishes
publishes_build(int version, int qos, const char *topic, size_t topics, size_t payload, size_t least);

#endif

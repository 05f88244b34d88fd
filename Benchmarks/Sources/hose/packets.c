#include "packets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { topics = 8 };

// A variable byte integer. Returns how many bytes it takes, 0 when it is not complete, -1 when it is none.
static int read_length(const uint8_t *bytes, size_t count, size_t *length) {
    *length = 0;
    for (int i = 0; i < 4; i++) {
        if ((size_t)i >= count) return 0;
        *length |= (size_t)(bytes[i] & 0x7F) << (7 * i);
        if (!(bytes[i] & 0x80)) return i + 1;
    }
    return -1;
}

static size_t write_length(uint8_t *out, size_t length) {
    size_t count = 0;
    do {
        uint8_t byte = length & 0x7F;
        length >>= 7;
        out[count++] = length ? byte | 0x80 : byte;
    } while (length);
    return count;
}

long packet_parse(const uint8_t *bytes, size_t count, struct packet *packet) {
    if (count < 2) return 0;
    size_t length;
    int prefix = read_length(bytes + 1, count - 1, &length);
    if (prefix <= 0) return prefix;
    size_t total = 1 + (size_t)prefix + length;
    if (count < total) return 0;
    packet->type = bytes[0] >> 4;
    packet->body = bytes + 1 + prefix;
    packet->length = length;
    return (long)total;
}

unsigned packet_acknowledged(const struct packet *packet) {
    if (packet->length < 2) return 0;
    if (packet->length > 2 && packet->body[2] >= 0x80) return 0;
    return (unsigned)packet->body[0] << 8 | packet->body[1];
}

size_t packet_answer_connect(const struct packet *packet, int version, uint8_t *out) {
    if (packet->length < 7 || memcmp(packet->body, "\0\4MQTT", 6) != 0 || packet->body[6] != version) return 0;
    static const uint8_t old[] = {0x20, 2, 0, 0}, new[] = {0x20, 3, 0, 0, 0};
    size_t size = version == 5 ? sizeof new : sizeof old;
    memcpy(out, version == 5 ? new : old, size);
    return size;
}

size_t packet_answer_subscribe(const struct packet *packet, int version, uint8_t *out) {
    const uint8_t *body = packet->body;
    size_t position = 2, granted = 0;
    uint8_t reasons[64];
    if (packet->length < 2) return 0;
    if (version == 5) {
        size_t properties;
        int prefix = read_length(body + 2, packet->length - 2, &properties);
        if (prefix <= 0) return 0;
        position += (size_t)prefix + properties;
    }
    while (position + 2 < packet->length && granted < sizeof reasons) {
        position += 2 + ((size_t)body[position] << 8 | body[position + 1]);
        if (position >= packet->length) return 0;
        reasons[granted++] = (body[position++] & 3) ? 1 : 0;
    }
    size_t size = 0;
    out[size++] = 0x90;
    size += write_length(out + size, 2 + (version == 5) + granted);
    out[size++] = body[0];
    out[size++] = body[1];
    if (version == 5) out[size++] = 0;
    memcpy(out + size, reasons, granted);
    return size + granted;
}

struct publishes publishes_build(int version, size_t payload) {
    // As many as there are identifiers, in whole rounds of the topics.
    struct publishes all = {.count = 65535 / topics * topics};
    char topic[] = "home/0/temperature";
    size_t name = sizeof topic - 1, rest = 2 + name + 2 + (version == 5) + payload;
    uint8_t head[5] = {0x32};
    size_t prefix = 1 + write_length(head + 1, rest);
    all.size = prefix + rest;
    all.bytes = malloc(all.count * all.size);
    if (!all.bytes) {
        perror("hose: memory");
        exit(1);
    }
    uint8_t *out = all.bytes;
    for (size_t i = 0; i < all.count; i++) {
        topic[5] = (char)('0' + i % topics);
        memcpy(out, head, prefix);
        out += prefix;
        *out++ = (uint8_t)(name >> 8);
        *out++ = (uint8_t)name;
        memcpy(out, topic, name);
        out += name;
        *out++ = (uint8_t)((i + 1) >> 8);
        *out++ = (uint8_t)(i + 1);
        if (version == 5) *out++ = 0;
        memset(out, 'x', payload);
        out += payload;
    }
    return all;
}

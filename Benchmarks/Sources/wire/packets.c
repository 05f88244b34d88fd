#include "packets.h"

#include "loopback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    packet->flags = bytes[0] & 0xF;
    packet->body = bytes + 1 + prefix;
    packet->length = length;
    return (long)total;
}

unsigned packet_acknowledged(const struct packet *packet) {
    if (packet->length < 2) return 0;
    if (packet->length > 2 && packet->body[2] >= 0x80) return 0;
    return (unsigned)packet->body[0] << 8 | packet->body[1];
}

bool packet_read_publish(const struct packet *packet, int version, struct publish *publish) {
    const uint8_t *body = packet->body;
    publish->qos = packet->flags >> 1 & 3;
    if (packet->length < 2) return false;
    publish->topic_length = (size_t)body[0] << 8 | body[1];
    publish->topic = (const char *)body + 2;
    size_t position = 2 + publish->topic_length;
    publish->identifier = 0;
    if (publish->qos > 0) {
        if (packet->length < position + 2) return false;
        publish->identifier = (unsigned)body[position] << 8 | body[position + 1];
        position += 2;
    }
    if (version == 5) {
        size_t properties;
        if (packet->length <= position) return false;
        int prefix = read_length(body + position, packet->length - position, &properties);
        if (prefix <= 0) return false;
        position += (size_t)prefix + properties;
    }
    if (packet->length < position) return false;
    publish->payload = body + position;
    publish->payload_length = packet->length - position;
    return true;
}

bool publish_is_to(const struct publish *publish, const char *topic) {
    return publish->topic_length == strlen(topic) && memcmp(publish->topic, topic, publish->topic_length) == 0;
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
    size_t first = 2, granted = 0;
    if (packet->length < 2) return 0;
    if (version == 5) {
        size_t properties;
        int prefix = read_length(body + 2, packet->length - 2, &properties);
        if (prefix <= 0) return 0;
        first += (size_t)prefix + properties;
    }
    for (size_t position = first; position + 2 < packet->length; position++, granted++) {
        position += 2 + ((size_t)body[position] << 8 | body[position + 1]);
        if (position >= packet->length) return 0;
    }
    size_t size = 0;
    out[size++] = 0x90;
    size += write_length(out + size, 2 + (version == 5) + granted);
    out[size++] = body[0];
    out[size++] = body[1];
    if (version == 5) out[size++] = 0;
    for (size_t position = first; position + 2 < packet->length; position++) {
        position += 2 + ((size_t)body[position] << 8 | body[position + 1]);
        out[size++] = (body[position] & 3) ? 1 : 0;
    }
    return size;
}

size_t packet_answer_publish(unsigned identifier, uint8_t *out) {
    out[0] = 0x40;
    out[1] = 2;
    out[2] = (uint8_t)(identifier >> 8);
    out[3] = (uint8_t)identifier;
    return 4;
}

static size_t write_text(uint8_t *out, const char *text) {
    size_t length = strlen(text);
    out[0] = (uint8_t)(length >> 8);
    out[1] = (uint8_t)length;
    memcpy(out + 2, text, length);
    return 2 + length;
}

size_t packet_build_connect(const char *identifier, int version, uint8_t *out) {
    size_t size = 2;
    size += write_text(out + size, "MQTT");
    out[size++] = (uint8_t)version;
    // A clean start, and no keep-alive.
    memcpy(out + size, (uint8_t[]){2, 0, 0}, 3);
    size += 3;
    if (version == 5) out[size++] = 0;
    size += write_text(out + size, identifier);
    out[0] = 0x10;
    out[1] = (uint8_t)(size - 2);
    return size;
}

size_t packet_build_subscribe(const char *filter, int qos, int version, uint8_t *out) {
    size_t size = 2;
    memcpy(out + size, (uint8_t[]){0, 1}, 2);
    size += 2;
    if (version == 5) out[size++] = 0;
    size += write_text(out + size, filter);
    out[size++] = (uint8_t)qos;
    out[0] = 0x82;
    out[1] = (uint8_t)(size - 2);
    return size;
}

// The template with a number of so many digits in place of "%".
static size_t write_topic(char *out, size_t room, const char *template, int digits, size_t number) {
    const char *mark = strchr(template, '%');
    int before = mark ? (int)(mark - template) : (int)strlen(template);
    int size = mark ? snprintf(out, room, "%.*s%0*zu%s", before, template, digits, number, mark + 1)
                    : snprintf(out, room, "%s", template);
    if (size < 0 || (size_t)size >= room) fail("the topic is too long");
    return (size_t)size;
}

struct publishes
publishes_build(int version, int qos, const char *topic, size_t topics, size_t payload, size_t least) {
    struct publishes all = {.count = (least + topics - 1) / topics * topics};
    char name[256];
    int digits = snprintf(NULL, 0, "%zu", topics - 1);
    size_t length = write_topic(name, sizeof name, topic, digits, 0);
    size_t rest = 2 + length + (qos ? 2 : 0) + (version == 5) + payload;
    uint8_t head[5] = {(uint8_t)(0x30 | qos << 1)};
    size_t prefix = 1 + write_length(head + 1, rest);
    all.size = prefix + rest;
    all.payload_offset = all.size - payload;
    all.bytes = malloc(all.count * all.size);
    if (!all.bytes) fail("no memory for the messages");
    uint8_t *out = all.bytes;
    for (size_t i = 0; i < all.count; i++) {
        write_topic(name, sizeof name, topic, digits, i % topics);
        memcpy(out, head, prefix);
        out += prefix;
        out += write_text(out, name);
        if (qos) {
            *out++ = (uint8_t)((i + 1) >> 8);
            *out++ = (uint8_t)(i + 1);
        }
        if (version == 5) *out++ = 0;
        memset(out, 'x', payload);
        out += payload;
    }
    return all;
}

#include "gate.h"

#include <stdlib.h>
#include <string.h>

// The most properties of a packet apart from user properties. MQTT 5 defines seven for a PUBLISH (section 3.3.2.3);
// only the subscription identifier may repeat.
#define OTHER_PROPERTIES 32
// The most packets that answer a CONNACK: the library resends messages that wait for PUBCOMP.
#define ANSWERS_TO_CONNACK 256

enum kind { UNKNOWN, BYTE, TWO_BYTES, FOUR_BYTES, VARIABLE, STRING, PAIR };

// MQTT 5, section 2.2.2.2.
static const uint8_t kinds[128] = {
    [0x01] = BYTE,       [0x02] = FOUR_BYTES, [0x03] = STRING, [0x08] = STRING,     [0x09] = STRING,    [0x0B] = VARIABLE,
    [0x11] = FOUR_BYTES, [0x12] = STRING,     [0x13] = TWO_BYTES, [0x15] = STRING,  [0x16] = STRING,    [0x17] = BYTE,
    [0x18] = FOUR_BYTES, [0x19] = BYTE,       [0x1A] = STRING, [0x1C] = STRING,     [0x1F] = STRING,    [0x21] = TWO_BYTES,
    [0x22] = TWO_BYTES,  [0x23] = TWO_BYTES,  [0x24] = BYTE,   [0x25] = BYTE,       [0x26] = PAIR,      [0x27] = FOUR_BYTES,
    [0x28] = BYTE,       [0x29] = BYTE,       [0x2A] = BYTE,
};

static uint32_t two_bytes(const uint8_t *bytes) { return (uint32_t)bytes[0] << 8 | bytes[1]; }

// Decodes a variable byte integer. Returns its length, 1 to 4 bytes; 0 if it is incomplete or too long.
static uint32_t read_number(const uint8_t *bytes, uint64_t available, uint32_t *value) {
    *value = 0;
    for (uint32_t i = 0; i < 4 && i < available; i++) {
        *value |= (uint32_t)(bytes[i] & 127) << 7 * i;
        if ((bytes[i] & 128) == 0) return i + 1;
    }
    return 0;
}

static uint32_t write_number(uint8_t *bytes, uint32_t value) {
    uint32_t count = 0;
    do {
        bytes[count] = (uint8_t)(value & 127);
        value >>= 7;
        if (value > 0) bytes[count] |= 128;
        count++;
    } while (value > 0);
    return count;
}

// The size of a property's value in bytes; more than `available` if it is incomplete.
static uint64_t value_size(enum kind kind, const uint8_t *bytes, uint64_t available) {
    uint64_t size;
    uint32_t value;
    switch (kind) {
    case UNKNOWN: break;
    case BYTE: return 1;
    case TWO_BYTES: return 2;
    case FOUR_BYTES: return 4;
    case VARIABLE:
        size = read_number(bytes, available, &value);
        return size > 0 ? size : UINT64_MAX;
    case STRING: return available < 2 ? UINT64_MAX : 2 + two_bytes(bytes);
    case PAIR:
        if (available < 2) return UINT64_MAX;
        size = 2 + two_bytes(bytes);
        return size + 2 > available ? UINT64_MAX : size + 2 + two_bytes(bytes + size);
    }
    return UINT64_MAX;
}

// Shortens the properties to `kept` bytes; their length field at `start` has `width` bytes. The remaining bytes then
// count as payload, which makes the payload useless.
static void cut(uint8_t *start, uint32_t width, uint32_t kept) {
    uint8_t number[4];
    uint32_t new_width = write_number(number, kept);
    memmove(start + new_width, start + width, kept);
    memcpy(start, number, new_width);
}

// Checks the properties at offset `at`. If their length is malformed, the library refuses the packet itself.
static enum packet_breach check_properties(
    struct packet_gate *gate,
    bool is_message,
    uint8_t *body,
    uint64_t length,
    uint64_t at
) {
    uint32_t size, others = 0, users = 0;
    if (at >= length || body[at] == 0) return PACKET_IS_SOUND;
    uint32_t width = read_number(body + at, length - at, &size);
    if (width == 0) return PACKET_IS_SOUND;
    uint8_t *start = body + at;
    at += width;
    // The library would read beyond the end of the packet and never stop.
    if (size > length - at) return PACKET_MALFORMED;
    const uint64_t first = at, end = at + size;
    while (at < end) {
        uint8_t identifier = body[at++];
        enum kind kind = identifier < sizeof kinds ? kinds[identifier] : UNKNOWN;
        gate->found = identifier;
        if (kind == UNKNOWN) return PACKET_PROPERTY_UNKNOWN;
        uint64_t value = value_size(kind, body + at, end - at);
        if (value > end - at) return PACKET_MALFORMED;
        at += value;
        if (kind != PAIR) {
            if (++others > OTHER_PROPERTIES) return PACKET_PROPERTIES_TOO_MANY;
        } else if (++users > PACKET_GATE_USER_PROPERTIES) {
            if (!is_message) return PACKET_PROPERTIES_TOO_MANY;
            cut(start, width, (uint32_t)(at - first));
            return PACKET_IS_SOUND;
        }
    }
    return PACKET_IS_SOUND;
}

static enum packet_breach hold(struct packet_gate *gate, uint32_t identifier, uint32_t length) {
    if (!gate->unreleased) gate->unreleased = calloc(IDENTIFIERS, sizeof *gate->unreleased);
    if (!gate->unreleased) return PACKET_UNRELEASED_TOO_LARGE;
    gate->unreleased[identifier] = length;
    gate->unreleased_count += 1;
    gate->unreleased_bytes += length;
    gate->found = gate->limits.unreleased;
    if (gate->unreleased_count > gate->limits.unreleased) return PACKET_UNRELEASED_TOO_MANY;
    gate->found = gate->limits.unreleased_size;
    return gate->unreleased_bytes > gate->limits.unreleased_size ? PACKET_UNRELEASED_TOO_LARGE : PACKET_IS_SOUND;
}

// The library stores a duplicate message too and releases only one of the two: the other one counts for the rest of the
// connection.
static void release(struct packet_gate *gate, uint32_t identifier) {
    if (!gate->unreleased || gate->unreleased[identifier] == 0) return;
    gate->unreleased_bytes -= gate->unreleased[identifier];
    gate->unreleased_count -= 1;
    gate->unreleased[identifier] = 0;
}

static enum packet_breach check_message(struct packet_gate *gate, uint8_t command, uint8_t *body, uint32_t length) {
    uint8_t qos = command >> 1 & 3;
    if (qos == 0 && !gate->limits.has_properties) return PACKET_IS_SOUND;
    if (length < 2) return PACKET_IS_SOUND;
    uint32_t at = 2 + two_bytes(body);
    if (qos > 0) {
        gate->answers += 1;
        at += 2;
        if (at > length) return PACKET_IS_SOUND;
        enum packet_breach breach = qos == 2 ? hold(gate, two_bytes(body + at - 2), length) : PACKET_IS_SOUND;
        if (breach != PACKET_IS_SOUND) return breach;
    }
    return gate->limits.has_properties ? check_properties(gate, true, body, length, at) : PACKET_IS_SOUND;
}

enum packet_breach packet_gate_check(struct packet_gate *gate, uint8_t command, uint8_t *body, uint32_t length) {
    // The offset of the properties. Some packets have properties only if they are longer than the reason code.
    uint32_t at = 0;
    switch (command >> 4) {
    case 3: return check_message(gate, command, body, length);
    case 2:
        // A refusal in the format of MQTT 3, without properties: 2.1 calls it malformed (2.1.2, handle_connack.c).
        if (gate->limits.has_properties && length == 2 && body[1] == 1) return PACKET_VERSION_REFUSED;
        gate->answers += ANSWERS_TO_CONNACK;
        at = 2;
        break;
    case 5:
        gate->answers += 1;
        at = 3;
        break;
    case 6:
        gate->answers += 1;
        if (length >= 2) release(gate, two_bytes(body));
        at = 3;
        break;
    case 12: gate->answers += 1; return PACKET_IS_SOUND;
    case 4: case 7: at = 3; break;
    case 9: case 11: at = 2; break;
    case 14:
        if (length <= 2) return PACKET_IS_SOUND;
        at = 1;
        break;
    case 15: at = 1; break;
    // Packets that only clients send: the library refuses them itself.
    default: return PACKET_IS_SOUND;
    }
    return gate->limits.has_properties ? check_properties(gate, false, body, length, at) : PACKET_IS_SOUND;
}

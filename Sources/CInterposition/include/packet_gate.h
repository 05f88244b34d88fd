// Checks the packets that libmosquitto reads from a broker before the library processes them.
//
// libmosquitto 2.0.11 aborts the process at a property that MQTT 5 does not define (an assertion in logging_mosq.c,
// from property_mosq.c). It mistakes packet type 0 for the absence of a packet and so loses the packet boundaries
// (packet_mosq.c). It allocates the size that a header claims, allocates an object for each property, and answers every
// packet of a broker that does not read. It reads the first byte of a packet, each byte of its length, and its body
// with separate calls, which are redirected here. A harmful packet is refused with a system error, and the library then
// closes the connection as usual. Nothing is copied. 2.1 reads up to 4 KiB ahead; the gate makes it read as 2.0 does.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mosquitto;

// The most user properties of a packet. A message with more keeps one above the limit, so that its receiver can detect
// the excess; the rest is cut off.
#define PACKET_GATE_USER_PROPERTIES 1024

enum packet_breach {
    PACKET_IS_SOUND,
    // The packet type is 0.
    PACKET_TYPE_RESERVED,
    // A length of more than four bytes, or a property that extends beyond the properties.
    PACKET_MALFORMED,
    // The packet has `size` bytes.
    PACKET_TOO_LARGE,
    // The unknown property has the identifier `size`.
    PACKET_PROPERTY_UNKNOWN,
    // A packet other than PUBLISH has too many user properties, or any packet has more than 32 other properties.
    PACKET_PROPERTIES_TOO_MANY,
    // More than `size` messages at QoS 2 wait for PUBREL.
    PACKET_UNRELEASED_TOO_MANY,
    // The messages at QoS 2 that wait for PUBREL have more than `size` bytes.
    PACKET_UNRELEASED_TOO_LARGE,
    // The broker does not speak MQTT 5.
    PACKET_VERSION_REFUSED,
    // The library reads in an unexpected order.
    PACKET_OUT_OF_STEP,
};

struct packet_limits {
    bool has_properties;
    // The most bytes of a packet, its header included.
    uint64_t packet_size;
    // The most messages at QoS 2 that wait for PUBREL, and the most bytes of their packets, without headers.
    uint32_t unreleased;
    uint64_t unreleased_size;
};

// The state of one connection. Used only by the thread that reads it.
struct packet_gate;

// Redirects the library's calls. Returns NULL, or the reason why packets are not checked. Call it once in a process,
// before the first connection.
//
// `reads_ahead`: whether the library asks for more than the next byte of a header, as 2.1 does.
const char *_Nullable packet_gate_install(bool reads_ahead);

// Replaces `read` as the source of bytes behind the gate.
void packet_gate_read_by(ssize_t (*_Nonnull read)(int descriptor, void *_Nonnull bytes, size_t count));

struct packet_gate *_Nullable packet_gate_create(struct packet_limits limits);
void packet_gate_free(struct packet_gate *_Nullable gate);

// Calls `mosquitto_loop_read` through the gate. It reads at most as many packets as the turn permits.
int packet_gate_loop_read(struct packet_gate *_Nonnull gate, struct mosquitto *_Nonnull handle);

// Begins a turn. After `packets` packets or `bytes` bytes the library gets EAGAIN at the next packet boundary.
void packet_gate_begin_turn(struct packet_gate *_Nonnull gate, uint32_t packets, uint32_t bytes);
// Whether the turn ended with data possibly unread.
bool packet_gate_is_turn_over(const struct packet_gate *_Nonnull gate);

// An upper bound for the packets that the library has queued as answers since `packet_gate_clear_answers`.
uint32_t packet_gate_answers(const struct packet_gate *_Nonnull gate);
void packet_gate_clear_answers(struct packet_gate *_Nonnull gate);

// The reason why the connection was refused, and the number that belongs to it.
enum packet_breach packet_gate_breach(const struct packet_gate *_Nonnull gate, uint64_t *_Nonnull size);

// Checks a whole packet without its header. May cut its user properties.
enum packet_breach packet_gate_check(
    struct packet_gate *_Nonnull gate,
    uint8_t command,
    uint8_t *_Nullable body,
    uint32_t length
);

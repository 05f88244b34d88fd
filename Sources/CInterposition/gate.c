#include "gate.h"

#include "redirect.h"

#include <errno.h>
#include <mosquitto.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

typedef ssize_t reading(int descriptor, void *bytes, size_t count);

// The connection that the library reads on this thread; NULL for connections of other code in this process.
// initial-exec: access without a function call, since the library reads each byte of a header separately.
__attribute__((tls_model("initial-exec"))) static _Thread_local struct packet_gate *current;
static _Atomic(reading *) system_read = read;

__attribute__((noinline, cold)) static ssize_t refuse(struct packet_gate *gate, enum packet_breach breach, uint64_t size) {
    if (gate->breach == PACKET_IS_SOUND) (gate->breach = breach, gate->size = size);
    errno = EPROTO;
    return -1;
}

// Whether the library may continue to read. It may always finish a packet.
static inline bool is_open(struct packet_gate *gate) {
    if (gate->packets > 0 || gate->phase != AT_COMMAND) return true;
    gate->is_turn_over = true;
    errno = EAGAIN;
    return false;
}

static inline void count_packet(struct packet_gate *gate) {
    gate->phase = AT_COMMAND;
    gate->packets -= 1;
    if (gate->length >= gate->bytes) gate->packets = gate->bytes = 0;
    else gate->bytes -= gate->length;
}

static inline ssize_t take_length(struct packet_gate *gate, uint8_t byte) {
    if (gate->shift == 28) return refuse(gate, PACKET_MALFORMED, 0);
    gate->length |= (uint32_t)(byte & 127) << gate->shift;
    gate->shift += 7;
    if (byte & 128) return 1;
    uint64_t size = (uint64_t)gate->length + gate->shift / 7 + 1;
    if (size > gate->limits.packet_size) return refuse(gate, PACKET_TOO_LARGE, size);
    if (gate->length > 0) {
        gate->phase = AT_BODY;
        gate->left = gate->length;
        return 1;
    }
    count_packet(gate);
    enum packet_breach breach = packet_gate_check(gate, gate->command, NULL, 0);
    return breach == PACKET_IS_SOUND ? 1 : refuse(gate, breach, gate->found);
}

static inline ssize_t take_body(struct packet_gate *gate, uint8_t *bytes, size_t asked, ssize_t count) {
    if (gate->left == gate->length) gate->body = bytes;
    if (asked != gate->left || bytes != gate->body + (gate->length - gate->left))
        return refuse(gate, PACKET_OUT_OF_STEP, 0);
    gate->left -= (uint32_t)count;
    if (gate->left > 0) return count;
    count_packet(gate);
    enum packet_breach breach = packet_gate_check(gate, gate->command, gate->body, gate->length);
    return breach == PACKET_IS_SOUND ? count : refuse(gate, breach, gate->found);
}

// Checks `count` bytes that were read, and returns the result for the library.
__attribute__((always_inline)) static inline ssize_t take(struct packet_gate *gate, uint8_t *bytes, size_t asked, ssize_t count) {
    if (count <= 0) return count;
    if (gate->phase == AT_BODY) return take_body(gate, bytes, asked, count);
    if (asked != 1) return refuse(gate, PACKET_OUT_OF_STEP, 0);
    if (gate->phase == AT_LENGTH) return take_length(gate, bytes[0]);
    if (bytes[0] < 0x10) return refuse(gate, PACKET_TYPE_RESERVED, 0);
    gate->command = bytes[0];
    gate->phase = AT_LENGTH;
    gate->length = 0;
    gate->shift = 0;
    return 1;
}

static ssize_t gated_read(int descriptor, void *bytes, size_t count) {
    struct packet_gate *gate = current;
    reading *read = atomic_load_explicit(&system_read, memory_order_relaxed);
    if (!gate) return read(descriptor, bytes, count);
    if (!is_open(gate)) return -1;
    return take(gate, bytes, count, read(descriptor, bytes, count));
}

static int gated_SSL_read(SSL *ssl, void *bytes, int count) {
    struct packet_gate *gate = current;
    if (!gate) return SSL_read(ssl, bytes, count);
    if (!is_open(gate)) return -1;
    return (int)take(gate, bytes, (size_t)count, SSL_read(ssl, bytes, count));
}

// The library calls it after each failed read. OpenSSL does not know about the end of a turn or a refused packet.
static int gated_SSL_get_error(const SSL *ssl, int result) {
    if (current && current->breach != PACKET_IS_SOUND) return SSL_ERROR_SSL;
    if (current && current->is_turn_over) return SSL_ERROR_WANT_READ;
    return SSL_get_error(ssl, result);
}

// libmosquitto 2.1 asks for 4 KiB at the start of a header. It gets one byte and asks again, so it reads as 2.0 does.
static size_t in_step(size_t count) { return current && current->phase != AT_BODY ? 1 : count; }

static ssize_t stepped_read(int descriptor, void *bytes, size_t count) {
    return gated_read(descriptor, bytes, in_step(count));
}

static int stepped_SSL_read(SSL *ssl, void *bytes, int count) {
    return gated_SSL_read(ssl, bytes, (int)in_step((size_t)count));
}

const char *packet_gate_install(bool reads_ahead) {
    const struct redirected_call calls[] = {
        {"read", (const void *)read, (const void *)(reads_ahead ? stepped_read : gated_read)},
        {"SSL_read", (const void *)SSL_read, (const void *)(reads_ahead ? stepped_SSL_read : gated_SSL_read)},
        {"SSL_get_error", (const void *)SSL_get_error, (const void *)gated_SSL_get_error},
    };
    // 2.1 calls `BIO_read`, but only on memory (2.1.2, base64_common.c).
    static const char *const bypasses[] = {"__read_chk", "recv", "__recv_chk", "recvfrom", "__recvfrom_chk", "recvmsg",
                                           "readv", "SSL_read_ex", "SSL_peek", "BIO_read"};
    size_t bypass_count = sizeof bypasses / sizeof *bypasses - (reads_ahead ? 1 : 0);
    return redirect_mosquitto_calls(calls, sizeof calls / sizeof *calls, bypasses, bypass_count);
}

void packet_gate_read_by(reading *read) { atomic_store_explicit(&system_read, read, memory_order_relaxed); }

struct packet_gate *packet_gate_create(struct packet_limits limits) {
    struct packet_gate *gate = calloc(1, sizeof *gate);
    if (gate) gate->limits = limits;
    return gate;
}

void packet_gate_free(struct packet_gate *gate) {
    if (gate) free(gate->unreleased);
    free(gate);
}

int packet_gate_loop_read(struct packet_gate *gate, struct mosquitto *handle) {
    current = gate;
    int result = mosquitto_loop_read(handle, 1);
    current = NULL;
    return result;
}

void packet_gate_begin_turn(struct packet_gate *gate, uint32_t packets, uint32_t bytes) {
    gate->packets = packets;
    gate->bytes = bytes;
    gate->is_turn_over = false;
}

bool packet_gate_is_turn_over(const struct packet_gate *gate) { return gate->is_turn_over; }

uint32_t packet_gate_answers(const struct packet_gate *gate) { return gate->answers; }

void packet_gate_clear_answers(struct packet_gate *gate) { gate->answers = 0; }

enum packet_breach packet_gate_breach(const struct packet_gate *gate, uint64_t *size) {
    *size = gate->size;
    return gate->breach;
}

#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loopback.h"

enum {
    // Twice the largest packet that is expected.
    room = 4 << 20,
    // At once: what fits into the cache.
    piece = 256 << 10,
};

struct stream stream_make(int socket) {
    struct stream stream = {.socket = socket, .buffer = malloc(room)};
    if (!stream.buffer) fail("no memory for a connection");
    return stream;
}

void stream_read(struct stream *stream, void (*handle)(void *context, const struct packet *packet), void *context) {
    size_t space = room - stream->count;
    if (space == 0) fail("a packet that is too large");
    ssize_t got = recv(stream->socket, stream->buffer + stream->count, space < piece ? space : piece, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        stream->has_ended = true;
        return;
    }
    stream->reads++;
    stream->count += (size_t)got;
    size_t position = 0;
    long size;
    struct packet packet;
    while ((size = packet_parse(stream->buffer + position, stream->count - position, &packet)) > 0) {
        handle(context, &packet);
        position += (size_t)size;
    }
    if (size < 0) fail("what arrives is no MQTT");
    stream->count -= position;
    memmove(stream->buffer, stream->buffer + position, stream->count);
}

void stream_end(struct stream *stream) {
    stream->has_ended = true;
    shutdown(stream->socket, SHUT_WR);
}

// libmosquitto in a drained loop of our own: in and echo. peer_arguments.h says how it is called.
#include <mosquitto.h>
#include <stdio.h>

#include "drained_loop.h"
#include "peer_arguments.h"

struct peer {
    struct drained_loop loop;
    struct peer_arguments arguments;
    long count;
};

static void publish(struct mosquitto *mosquitto, const char *topic, int size, const void *payload, int qos) {
    int result = mosquitto_publish(mosquitto, NULL, topic, size, payload, qos, false);
    if (result != MOSQ_ERR_SUCCESS) peer_fail("publish", mosquitto_strerror(result));
}

static void connected(struct mosquitto *mosquitto, void *context, int code) {
    struct peer *peer = context;
    peer->loop.progress++;
    if (code != 0) peer_fail("connect", mosquitto_connack_string(code));
    int result = mosquitto_subscribe(mosquitto, NULL, "bench/+", peer->arguments.qos);
    if (result != MOSQ_ERR_SUCCESS) peer_fail("subscribe", mosquitto_strerror(result));
}

static void subscribed(struct mosquitto *mosquitto, void *context, int identifier, int number, const int *granted) {
    (void)identifier, (void)number, (void)granted;
    struct peer *peer = context;
    peer->loop.progress++;
    publish(mosquitto, "ready", 0, NULL, 0);
}

static void received(struct mosquitto *mosquitto, void *context, const struct mosquitto_message *message) {
    struct peer *peer = context;
    peer->loop.progress++;
    peer->count++;
    if (peer->arguments.is_echo)
        publish(mosquitto, "echo", message->payloadlen, message->payload, peer->arguments.qos);
}

static void set_callbacks(struct mosquitto *mosquitto) {
    mosquitto_connect_callback_set(mosquitto, connected);
    mosquitto_subscribe_callback_set(mosquitto, subscribed);
    mosquitto_message_callback_set(mosquitto, received);
}

int main(int count, char **arguments) {
    struct peer peer = {.arguments = peer_arguments_parse(count, arguments)};
    if (peer.arguments.is_out) peer_fail("out", "this program has no such part");
    drained_loop_open(
        &peer.loop, "c-own-loop", peer.arguments.port, peer.arguments.version, &peer, set_callbacks
    );
    while (peer.count < peer.arguments.messages) {
        drained_loop_read(&peer.loop);
        drained_loop_flush(&peer.loop);
    }
    char digits[20];
    publish(peer.loop.mosquitto, "done", snprintf(digits, sizeof digits, "%ld", peer.count), digits, 0);
    drained_loop_close(&peer.loop);
    return 0;
}

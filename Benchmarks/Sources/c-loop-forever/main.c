// libmosquitto as most programs use it: in and echo with mosquitto_loop_forever and a callback, out with
// mosquitto_loop_start and mosquitto_publish. peer_arguments.h says how it is called.
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer_arguments.h"

static struct peer_arguments arguments;
static long count;
static int sign = -1;
static sem_t is_connected, is_delivered;

static void check(const char *operation, int result) {
    if (result != MOSQ_ERR_SUCCESS) peer_fail(operation, mosquitto_strerror(result));
}

static void connected(struct mosquitto *mosquitto, void *context, int code) {
    (void)context;
    if (code != 0) peer_fail("connect", mosquitto_connack_string(code));
    if (arguments.is_out) sem_post(&is_connected);
    else check("subscribe", mosquitto_subscribe(mosquitto, NULL, "bench/+", arguments.qos));
}

static void subscribed(struct mosquitto *mosquitto, void *context, int identifier, int number, const int *granted) {
    (void)context, (void)identifier, (void)number, (void)granted;
    check("publish", mosquitto_publish(mosquitto, NULL, "ready", 0, NULL, 0, false));
}

static void received(struct mosquitto *mosquitto, void *context, const struct mosquitto_message *message) {
    (void)context;
    if (arguments.is_echo) {
        int size = message->payloadlen;
        check("publish", mosquitto_publish(mosquitto, NULL, "echo", size, message->payload, arguments.qos, false));
    }
    if (++count != arguments.messages) return;
    char digits[20];
    int size = snprintf(digits, sizeof digits, "%ld", count);
    check("publish", mosquitto_publish(mosquitto, &sign, "done", size, digits, 0, false));
}

static void published(struct mosquitto *mosquitto, void *context, int identifier) {
    (void)context;
    if (arguments.is_out && ++count == arguments.messages) sem_post(&is_delivered);
    // What was queued before the sign, acknowledgements included, has been written.
    if (identifier == sign) mosquitto_disconnect(mosquitto);
}

static void publish_all(struct mosquitto *mosquitto) {
    char *payload = calloc(1, (size_t)arguments.payload + 1);
    sem_wait(&is_connected);
    for (long i = 0; i < arguments.messages; i++) {
        int size = arguments.payload;
        check("publish", mosquitto_publish(mosquitto, NULL, "bench/0", size, payload, arguments.qos, false));
    }
    sem_wait(&is_delivered);
    free(payload);
}

int main(int argument_count, char **argument_texts) {
    arguments = peer_arguments_parse(argument_count, argument_texts);
    sem_init(&is_connected, 0, 0);
    sem_init(&is_delivered, 0, 0);
    mosquitto_lib_init();
    struct mosquitto *mosquitto = mosquitto_new("c-loop-forever", true, NULL);
    if (!mosquitto) peer_fail("mosquitto_new", strerror(errno));
    mosquitto_int_option(mosquitto, MOSQ_OPT_PROTOCOL_VERSION, arguments.version);
    mosquitto_connect_callback_set(mosquitto, connected);
    mosquitto_subscribe_callback_set(mosquitto, subscribed);
    mosquitto_message_callback_set(mosquitto, received);
    mosquitto_publish_callback_set(mosquitto, published);
    check("connect", mosquitto_connect(mosquitto, "127.0.0.1", arguments.port, 30));
    if (arguments.is_out) {
        check("start", mosquitto_loop_start(mosquitto));
        publish_all(mosquitto);
        mosquitto_disconnect(mosquitto);
        mosquitto_loop_stop(mosquitto, false);
    } else {
        check("loop", mosquitto_loop_forever(mosquitto, -1, 1));
    }
    mosquitto_destroy(mosquitto);
    return 0;
}

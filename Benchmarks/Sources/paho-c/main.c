// paho C with its synchronous interface, which most programs use, and a callback for what comes in. peer_arguments.h
// says how it is called.
#include <MQTTClient.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "peer_arguments.h"

// Where the library's own limit is reached it sleeps for 100 ms: we stay below it.
enum { in_flight = 1000 };

static struct peer_arguments arguments;
static MQTTClient client;
// Callbacks come from more than one thread.
static atomic_long count;
static sem_t is_complete, has_room;

static void check(const char *operation, int result) {
    if (result != MQTTCLIENT_SUCCESS) peer_fail(operation, MQTTClient_strerror(result));
}

static void publish(const char *topic, int size, const void *payload, int qos) {
    if (arguments.version == 5) {
        MQTTResponse response = MQTTClient_publish5(client, topic, size, payload, qos, 0, NULL, NULL);
        check("publish", response.reasonCode == MQTTREASONCODE_SUCCESS ? 0 : (int)response.reasonCode);
    } else {
        check("publish", MQTTClient_publish(client, topic, size, payload, qos, 0, NULL));
    }
}

static int received(void *context, char *topic, int length, MQTTClient_message *message) {
    (void)context, (void)length;
    if (arguments.is_echo) publish("echo", message->payloadlen, message->payload, 0);
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    if (++count == arguments.messages) sem_post(&is_complete);
    return 1;
}

static void delivered(void *context, MQTTClient_deliveryToken token) {
    (void)context, (void)token;
    sem_post(&has_room);
    if (arguments.is_out && ++count == arguments.messages) sem_post(&is_complete);
}

static void open_connection(void) {
    char address[32];
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", arguments.port);
    MQTTClient_createOptions creation = MQTTClient_createOptions_initializer;
    creation.MQTTVersion = arguments.version == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    int result = MQTTClient_createWithOptions(&client, address, "paho-c", MQTTCLIENT_PERSISTENCE_NONE, NULL, &creation);
    check("create", result);
    check("set callbacks", MQTTClient_setCallbacks(client, NULL, NULL, received, delivered));
    if (arguments.version == 5) {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
        options.maxInflightMessages = in_flight;
        options.reliable = 0;
        MQTTResponse response = MQTTClient_connect5(client, &options, NULL, NULL);
        check("connect", (int)response.reasonCode);
        MQTTResponse_free(response);
    } else {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
        options.MQTTVersion = MQTTVERSION_3_1_1;
        options.maxInflightMessages = in_flight;
        options.reliable = 0;
        check("connect", MQTTClient_connect(client, &options));
    }
}

static void subscribe(void) {
    if (arguments.version == 4) {
        check("subscribe", MQTTClient_subscribe(client, "bench/+", arguments.qos));
        return;
    }
    MQTTResponse response = MQTTClient_subscribe5(client, "bench/+", arguments.qos, NULL, NULL);
    if ((int)response.reasonCode != arguments.qos) peer_fail("subscribe", "refused");
    MQTTResponse_free(response);
}

static void publish_all(void) {
    char *payload = calloc(1, (size_t)arguments.payload + 1);
    for (long i = 0; i < arguments.messages; i++) {
        if (arguments.qos > 0) sem_wait(&has_room);
        publish("bench/0", arguments.payload, payload, arguments.qos);
    }
    // Of messages at QoS 0 nothing is told: they are written when the call returns.
    if (arguments.qos > 0) sem_wait(&is_complete);
    free(payload);
}

static void count_all(void) {
    subscribe();
    publish("ready", 0, NULL, 0);
    sem_wait(&is_complete);
    char digits[20];
    publish("done", snprintf(digits, sizeof digits, "%ld", atomic_load(&count)), digits, 0);
}

int main(int argument_count, char **argument_texts) {
    arguments = peer_arguments_parse(argument_count, argument_texts);
    sem_init(&is_complete, 0, 0);
    sem_init(&has_room, 0, in_flight - 1);
    open_connection();
    if (arguments.is_out) publish_all();
    else count_all();
    if (arguments.version == 5) check("disconnect", MQTTClient_disconnect5(client, 1000, MQTTREASONCODE_SUCCESS, NULL));
    else check("disconnect", MQTTClient_disconnect(client, 1000));
    MQTTClient_destroy(&client);
    return 0;
}

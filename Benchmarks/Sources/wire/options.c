#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "loopback.h"

static long number(const char *text, long least, long most) {
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end || value < least || value > most)
        fail("%s is not a number from %ld to %ld", text, least, most);
    return value;
}

static void set(struct options *options, const char *name, const char *value) {
    if (strcmp(name, "--mqtt") == 0) options->version = (int)number(value, 4, 5);
    else if (strcmp(name, "--qos") == 0) options->qos = (int)number(value, 0, 1);
    else if (strcmp(name, "--window") == 0) options->window = number(value, 1, 65535);
    else if (strcmp(name, "--messages") == 0) options->messages = number(value, 0, 1000000000);
    else if (strcmp(name, "--payload") == 0) options->payload = number(value, 0, 1 << 20);
    else if (strcmp(name, "--topics") == 0) options->topics = number(value, 1, 10000000);
    else if (strcmp(name, "--topic") == 0) options->topic = value;
    else if (strcmp(name, "--connections") == 0) options->connections = number(value, 1, 64);
    else if (strcmp(name, "--rate") == 0) options->rate = number(value, 1, 1000000);
    else if (strcmp(name, "--warm-up") == 0) options->warm_up = number(value, 0, 1000000);
    else if (strcmp(name, "--limit") == 0) options->limit = number(value, 1, 3600);
    else if (strcmp(name, "--until") == 0) options->ends_acknowledged = strcmp(value, "acknowledged") == 0;
    else if (strcmp(name, "--send-buffer") == 0) options->send_buffer = (int)number(value, 0, 1 << 30);
    else if (strcmp(name, "--flood") == 0) options->is_flooding = strcmp(value, "on") == 0;
    else fail("unknown option %s", name);
}

struct options options_parse(char **arguments) {
    struct options options = {
        .version = 5,
        .qos = 1,
        .window = 1000,
        .messages = 10000,
        .payload = 64,
        .topics = 1,
        .topic = "bench/%",
        .connections = 1,
        .is_flooding = true,
        .limit = 60,
    };
    for (; *arguments && strcmp(*arguments, "--") != 0; arguments += 2) {
        if (!arguments[1]) fail("%s needs a value", *arguments);
        set(&options, arguments[0], arguments[1]);
    }
    if (!*arguments || !arguments[1]) fail("which program? [--OPTION VALUE]… -- PROGRAM [ARGUMENT…]");
    options.command = arguments + 1;
    return options;
}

#define _GNU_SOURCE
#include "client.h"

#include "loopback.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct client client_start(char **arguments, int port) {
    static char number[8];
    snprintf(number, sizeof number, "%d", port);
    for (char **argument = arguments; *argument; argument++) {
        if (strcmp(*argument, "{port}") == 0) *argument = number;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, 2, 1);
    struct client client = {.started = now_in_seconds()};
    int error = posix_spawnp(&client.process, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) fail("cannot start %s: %s", arguments[0], strerror(error));
    return client;
}

double client_processor_time(const struct client *client) {
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(client->process, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

long client_resident(const struct client *client) {
    char path[32];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", client->process);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

long client_peak(const struct client *client) {
    char path[32], line[128];
    long peak = 0;
    snprintf(path, sizeof path, "/proc/%d/status", client->process);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %ld", &peak) != 1) {}
    fclose(file);
    return peak;
}

bool client_ended(struct client *client) {
    if (!client->has_ended) client->has_ended = waitpid(client->process, &client->status, WNOHANG) != 0;
    return client->has_ended;
}

int client_wait(struct client *client, double seconds) {
    double deadline = now_in_seconds() + seconds;
    while (!client_ended(client) && now_in_seconds() < deadline) usleep(2000);
    if (!client->has_ended) {
        kill(client->process, SIGKILL);
        waitpid(client->process, &client->status, 0);
        client->has_ended = true;
    }
    return WIFEXITED(client->status) ? WEXITSTATUS(client->status) : 255;
}

#define _GNU_SOURCE
#include "broker.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loopback.h"

static pid_t process;
static char configuration[] = "/tmp/bench-mosquitto-XXXXXX";

// It must not discard, and not hold back small packets until others are acknowledged.
static void write_configuration(int port) {
    FILE *file = fdopen(mkstemp(configuration), "w");
    if (!file) fail("cannot write %s", configuration);
    fprintf(file, "listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type error\n", port);
    fprintf(file, "max_queued_messages 0\nmax_inflight_messages 1000\nset_tcp_nodelay true\n");
    fclose(file);
}

int broker_start(void) {
    int port, listener = listen_on_loopback(&port);
    close(listener);
    write_configuration(port);
    // Debian keeps it where the PATH of ordinary users does not lead.
    char path[4096];
    snprintf(path, sizeof path, "%s:/usr/sbin:/usr/local/sbin", getenv("PATH") ? getenv("PATH") : "/usr/bin");
    setenv("PATH", path, 1);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions, 2, 1);
    char *arguments[] = {"mosquitto", "-c", configuration, NULL};
    int error = posix_spawnp(&process, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) fail("cannot start mosquitto: %s", strerror(error));
    double deadline = now_in_seconds() + 5;
    while (!can_connect(port)) {
        if (now_in_seconds() > deadline) fail("mosquitto does not start");
        usleep(5000);
    }
    return port;
}

void broker_stop(void) {
    if (!process) return;
    kill(process, SIGTERM);
    waitpid(process, NULL, 0);
    unlink(configuration);
    process = 0;
}

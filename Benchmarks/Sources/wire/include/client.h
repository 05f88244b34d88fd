// The program under test: started by the one that measures, so that its processor time is known.
#ifndef WIRE_CLIENT_H
#define WIRE_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>

struct client {
    pid_t process;
    bool has_ended;
    int status;
    double started;
};

// Starts a program; "{port}" as an argument of its own becomes the number. Its output goes to standard error.
struct client client_start(char **arguments, int port);

// Processor time of all its threads until now, in seconds.
double client_processor_time(const struct client *client);

// What it has in memory now, in KiB.
long client_resident(const struct client *client);

// The most that it ever had in memory, in KiB.
long client_peak(const struct client *client);

// Looks whether it has ended.
bool client_ended(struct client *client);

// Waits for its end, and ends it after that many seconds. Returns its exit code; 255 when a signal ended it.
int client_wait(struct client *client, double seconds);

#endif

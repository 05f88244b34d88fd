// A real mosquitto, for the time of one run.
#ifndef WIRE_BROKER_H
#define WIRE_BROKER_H

// Starts it on a free port of the loopback interface, and returns that once it listens.
int broker_start(void);

// Ends it. Does nothing where there is none.
void broker_stop(void);

#endif

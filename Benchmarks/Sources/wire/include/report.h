// What a run took, and its line of JSON.
#ifndef WIRE_REPORT_H
#define WIRE_REPORT_H

#include <stddef.h>

#include "client.h"
#include "options.h"

struct report {
    // Of all messages, those that the client says it has handled; the others it has dropped.
    long handled;
    // How often acknowledgements or messages arrived.
    long reads;
    // The stretch that counts, and the processor time of the client at both ends.
    double began, ended, processor_began, processor_ended;
    // From the start of the client to its SUBSCRIBE.
    double subscribed_after;
    // What the client had in memory, in KiB: before the first message, after a tenth of them, and after the last.
    long resident_idle, resident_warm, resident_end;
    // The most that it had in memory until its SUBSCRIBE, in KiB.
    long peak_subscribed;
    // From the moment when a message was due to its end, in microseconds.
    double delay_median, delay_99, delay_maximum;
};

// The stretch begins, or ends, now.
void report_begin(struct report *report, const struct client *client);
void report_end(struct report *report, const struct client *client);

// Takes in delays in microseconds, in the order of the messages, and sorts them. The first tenth warms up, and does not
// count.
void report_delays(struct report *report, double *delays, size_t count);

void report_print(const struct report *report, const struct options *options);

#endif

#include "report.h"

#include <stdio.h>
#include <stdlib.h>

#include "loopback.h"

void report_begin(struct report *report, const struct client *client) {
    report->resident_idle = client_resident(client);
    report->processor_began = client_processor_time(client);
    report->began = now_in_seconds();
}

void report_end(struct report *report, const struct client *client) {
    report->ended = now_in_seconds();
    report->processor_ended = client_processor_time(client);
    report->resident_end = client_resident(client);
}

static int compare(const void *left, const void *right) {
    double first = *(const double *)left, second = *(const double *)right;
    return (first > second) - (first < second);
}

void report_delays(struct report *report, double *delays, size_t count) {
    size_t first = count / 10, rest = count - first;
    if (rest == 0) fail("nothing came back");
    qsort(delays + first, rest, sizeof *delays, compare);
    report->delay_median = delays[first + rest / 2];
    report->delay_99 = delays[first + rest * 99 / 100];
    report->delay_maximum = delays[first + rest - 1];
}

void report_print(const struct report *report, const struct options *options) {
    double seconds = report->ended - report->began;
    printf("{\"messages\":%ld,\"handled\":%ld,\"window\":%ld,", options->messages, report->handled, options->window);
    printf("\"seconds\":%.6f,", seconds);
    printf("\"processorSeconds\":%.6f,", report->processor_ended - report->processor_began);
    printf("\"reads\":%ld,\"secondsToSubscribe\":%.6f,", report->reads, report->subscribed_after);
    printf(
        "\"residentKibibytes\":{\"idle\":%ld,\"warm\":%ld,\"end\":%ld,\"peakAtSubscribe\":%ld},", report->resident_idle,
        report->resident_warm, report->resident_end, report->peak_subscribed
    );
    printf(
        "\"delayMicroseconds\":{\"median\":%.1f,\"ninetyNinth\":%.1f,\"maximum\":%.1f}}\n", report->delay_median,
        report->delay_99, report->delay_maximum
    );
}

// An SQLite VFS that forwards all calls to the system's VFS and reports the changes of selected files in order. Tests
// derive the possible outcomes of a power cut from them.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// Callbacks, called on the thread of the change after the change. They must not use SQLite.
typedef struct {
    void *_Nullable context;
    // A file was opened, and created if it was missing. Returns the number that identifies the file in other callbacks.
    int64_t (*_Nonnull opened)(void *_Nullable context, const char *_Nonnull path);
    void (*_Nonnull written)(void *_Nullable context, int64_t file, int64_t offset, const void *_Nonnull bytes, int64_t count);
    void (*_Nonnull truncated)(void *_Nullable context, int64_t file, int64_t length);
    // Called before a sync. If it returns false, the file is not synced, and SQLite gets SQLITE_OK.
    bool (*_Nonnull may_synchronize)(void *_Nullable context, int64_t file);
    void (*_Nonnull synchronized)(void *_Nullable context, int64_t file);
    void (*_Nonnull folder_synchronized)(void *_Nullable context, const char *_Nonnull folder);
    void (*_Nonnull removed)(void *_Nullable context, const char *_Nonnull path);
} recording_listener;

typedef struct recording recording;

// Starts to record files whose full path begins with `prefix`. Files that are already open are not recorded. Returns
// NULL if the memory is exhausted or SQLite's VFS has no replaceable system calls.
//
// The first call makes this VFS the default of the process. It does not intercept calls for other files once they are
// open.
recording *_Nullable recording_begin(const char *_Nonnull prefix, recording_listener listener);

// Stops a recording. All of its files must be closed.
void recording_end(recording *_Nonnull recording);

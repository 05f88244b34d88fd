#include "CRecordingVFS.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct recording {
    recording_listener listener;
    recording *next;
    size_t length;
    char prefix[];
};

// The file of the system's VFS follows in the same memory: SQLite allocates `szOsFile` bytes.
typedef struct {
    sqlite3_file base;
    recording *recording;
    int64_t number;
} recorded_file;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static recording *recordings;
static sqlite3_vfs *system_vfs;
static sqlite3_vfs own_vfs;
static sqlite3_io_methods own_methods;

static recording *recording_of(const char *path) {
    recording *found = NULL;
    pthread_mutex_lock(&mutex);
    for (recording *one = recordings; one && path && !found; one = one->next) {
        if (strncmp(path, one->prefix, one->length) == 0) found = one;
    }
    pthread_mutex_unlock(&mutex);
    return found;
}

// Folders. SQLite's system VFS has no method that syncs a folder. It opens the folder (at the first sync of a log, and
// for a durable deletion), syncs it and closes it. Only the first of these calls can be intercepted.

static int (*system_open_directory)(const char *, int *);
static _Thread_local bool is_watching;
static _Thread_local char *opened_directory;

static int open_directory(const char *path, int *descriptor) {
    int code = system_open_directory(path, descriptor);
    if (is_watching && code == SQLITE_OK) {
        free(opened_directory);
        opened_directory = strdup(path);
        char *slash = opened_directory ? strrchr(opened_directory, '/') : NULL;
        if (slash) *slash = 0;
    }
    return code;
}

static void watch_directories(void) {
    is_watching = true;
    opened_directory = NULL;
}

static void report_directory(recording *recording) {
    if (opened_directory) recording->listener.folder_synchronized(recording->listener.context, opened_directory);
    free(opened_directory);
    opened_directory = NULL;
    is_watching = false;
}

// File methods.

static sqlite3_file *real(sqlite3_file *file) { return (sqlite3_file *)((recorded_file *)file + 1); }

static int file_close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }

static int file_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    return real(file)->pMethods->xRead(real(file), bytes, count, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    int code = real(file)->pMethods->xWrite(real(file), bytes, count, offset);
    recorded_file *own = (recorded_file *)file;
    recording_listener *listener = &own->recording->listener;
    if (code == SQLITE_OK) listener->written(listener->context, own->number, offset, bytes, count);
    return code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 length) {
    int code = real(file)->pMethods->xTruncate(real(file), length);
    recorded_file *own = (recorded_file *)file;
    recording_listener *listener = &own->recording->listener;
    if (code == SQLITE_OK) listener->truncated(listener->context, own->number, length);
    return code;
}

static int file_sync(sqlite3_file *file, int flags) {
    recorded_file *own = (recorded_file *)file;
    recording_listener *listener = &own->recording->listener;
    if (!listener->may_synchronize(listener->context, own->number)) return SQLITE_OK;
    watch_directories();
    int code = real(file)->pMethods->xSync(real(file), flags);
    if (code == SQLITE_OK) listener->synchronized(listener->context, own->number);
    report_directory(own->recording);
    return code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int file_lock(sqlite3_file *file, int lock) { return real(file)->pMethods->xLock(real(file), lock); }

static int file_unlock(sqlite3_file *file, int lock) { return real(file)->pMethods->xUnlock(real(file), lock); }

static int file_check_reserved_lock(sqlite3_file *file, int *result) {
    return real(file)->pMethods->xCheckReservedLock(real(file), result);
}

static int file_control(sqlite3_file *file, int operation, void *argument) {
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int file_sector_size(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }

static int file_device_characteristics(sqlite3_file *file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **address) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, address);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }

static int file_shm_unmap(sqlite3_file *file, int delete) {
    return real(file)->pMethods->xShmUnmap(real(file), delete);
}

// VFS methods.

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *result) {
    (void)vfs;
    recording *recording = recording_of(path);
    if (!recording) return system_vfs->xOpen(system_vfs, path, file, flags, result);
    recorded_file *own = (recorded_file *)file;
    file->pMethods = NULL;
    memset(real(file), 0, (size_t)system_vfs->szOsFile);
    int code = system_vfs->xOpen(system_vfs, path, real(file), flags, result);
    if (code != SQLITE_OK) {
        if (real(file)->pMethods) real(file)->pMethods->xClose(real(file));
        return code;
    }
    own->recording = recording;
    own->number = recording->listener.opened(recording->listener.context, path);
    file->pMethods = &own_methods;
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int synchronizes) {
    (void)vfs;
    recording *recording = recording_of(path);
    if (!recording) return system_vfs->xDelete(system_vfs, path, synchronizes);
    watch_directories();
    int code = system_vfs->xDelete(system_vfs, path, synchronizes);
    if (code == SQLITE_OK) recording->listener.removed(recording->listener.context, path);
    report_directory(recording);
    return code;
}

static void install(void) {
    sqlite3_vfs *found = sqlite3_vfs_find(NULL);
    if (!found || found->iVersion < 3) return;
    sqlite3_syscall_ptr call = found->xGetSystemCall(found, "openDirectory");
    if (!call) return;
    system_open_directory = (int (*)(const char *, int *))call;
    if (found->xSetSystemCall(found, "openDirectory", (sqlite3_syscall_ptr)open_directory) != SQLITE_OK) return;
    own_methods = (sqlite3_io_methods){
        // Version 2 has no memory-mapped access to the file (xFetch), which cannot be recorded.
        .iVersion = 2,
        .xClose = file_close,
        .xRead = file_read,
        .xWrite = file_write,
        .xTruncate = file_truncate,
        .xSync = file_sync,
        .xFileSize = file_size,
        .xLock = file_lock,
        .xUnlock = file_unlock,
        .xCheckReservedLock = file_check_reserved_lock,
        .xFileControl = file_control,
        .xSectorSize = file_sector_size,
        .xDeviceCharacteristics = file_device_characteristics,
        .xShmMap = file_shm_map,
        .xShmLock = file_shm_lock,
        .xShmBarrier = file_shm_barrier,
        .xShmUnmap = file_shm_unmap,
    };
    // All other methods are the system's.
    own_vfs = *found;
    own_vfs.pNext = NULL;
    own_vfs.zName = "recording";
    own_vfs.szOsFile = (int)sizeof(recorded_file) + found->szOsFile;
    own_vfs.xOpen = vfs_open;
    own_vfs.xDelete = vfs_delete;
    system_vfs = found;
    if (sqlite3_vfs_register(&own_vfs, 1) != SQLITE_OK) system_vfs = NULL;
}

recording *recording_begin(const char *prefix, recording_listener listener) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    if (!system_vfs) return NULL;
    size_t length = strlen(prefix);
    recording *new = malloc(sizeof(recording) + length + 1);
    if (!new) return NULL;
    new->listener = listener;
    new->length = length;
    memcpy(new->prefix, prefix, length + 1);
    pthread_mutex_lock(&mutex);
    new->next = recordings;
    recordings = new;
    pthread_mutex_unlock(&mutex);
    return new;
}

void recording_end(recording *ended) {
    pthread_mutex_lock(&mutex);
    for (recording **link = &recordings; *link; link = &(*link)->next) {
        if (*link == ended) {
            *link = ended->next;
            break;
        }
    }
    pthread_mutex_unlock(&mutex);
    free(ended);
}

// What the C boundary sees of C: libmosquitto, and the part of OpenSSL that configures its TLS.
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
// Known only behind the first of the headers.
#ifdef __GLIBC__
#include <malloc.h>
#endif

// `prctl` is variadic, which Swift cannot call.
static inline void name_current_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

// Whether the kernel may write an image of this process when it crashes, also through a program (core(5)). Other processes of
// the same user cannot look into it either then.
static inline void forbid_dumps(void) {
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// How much glibc's allocator keeps of what was freed, in bytes, and from which size on a block is the system's. Returns
// whether it was set: not with another allocator.
static inline bool set_kept_memory(int kept, int largest) {
#ifdef __GLIBC__
    // Both: to set one of them ends that glibc adapts the other.
    return mallopt(M_TRIM_THRESHOLD, kept) && mallopt(M_MMAP_THRESHOLD, largest);
#else
    return false;
#endif
}

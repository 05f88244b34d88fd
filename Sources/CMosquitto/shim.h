// What the C boundary sees of C: libmosquitto, and the part of OpenSSL that configures its TLS.
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

// `prctl` is variadic, which Swift cannot call.
static inline void name_current_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

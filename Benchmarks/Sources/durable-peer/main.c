// The C program that the bridge is measured against: libmosquitto with a poll loop of its own, which reads until the
// socket is drained, inserts each message into SQLite as it comes, commits, and only then lets the acknowledgements out
// in one corked write.
//
//   durable-peer PORT DATABASE full|normal 4|5 MESSAGES [delete]
//
// With "delete" a transaction also removes the batch before it: what a bridge does whose listeners are done with it.
// Ends when that many messages were committed and acknowledged.
#define _GNU_SOURCE
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct peer {
    struct mosquitto *mosquitto;
    sqlite3 *database;
    sqlite3_stmt *begin, *insert, *delete, *commit;
    // Callbacks that came: whether a read has moved anything.
    long progress;
    bool is_in_transaction, deletes;
    long long sequence, batch_first, former_first, former_last;
};

static void fail(const char *operation, const char *detail) {
    fprintf(stderr, "durable-peer: %s: %s\n", operation, detail);
    exit(1);
}

// MARK: SQLite

static void execute(struct peer *peer, const char *text) {
    if (sqlite3_exec(peer->database, text, NULL, NULL, NULL) != SQLITE_OK) fail(text, sqlite3_errmsg(peer->database));
}

static sqlite3_stmt *prepare(struct peer *peer, const char *text) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(peer->database, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        fail(text, sqlite3_errmsg(peer->database));
    return statement;
}

static void run(struct peer *peer, sqlite3_stmt *statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) fail(sqlite3_sql(statement), sqlite3_errmsg(peer->database));
    sqlite3_reset(statement);
}

static void open_database(struct peer *peer, const char *path, const char *synchronous) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &peer->database, flags, NULL) != SQLITE_OK)
        fail("open the database", sqlite3_errmsg(peer->database));
    execute(peer, "PRAGMA journal_mode = WAL");
    execute(peer, strcmp(synchronous, "full") == 0 ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    // As the bridge's store has it.
    execute(peer, "PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY");
    execute(
        peer,
        "CREATE TABLE inbound (sequence INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL,"
        " time INTEGER NOT NULL)"
    );
    peer->begin = prepare(peer, "BEGIN IMMEDIATE");
    peer->insert = prepare(peer, "INSERT INTO inbound (sequence, topic, payload, time) VALUES (?, ?, ?, ?)");
    peer->delete = prepare(peer, "DELETE FROM inbound WHERE sequence BETWEEN ? AND ?");
    peer->commit = prepare(peer, "COMMIT");
}

static void commit(struct peer *peer) {
    if (!peer->is_in_transaction) return;
    if (peer->deletes && peer->former_last > 0) {
        sqlite3_bind_int64(peer->delete, 1, peer->former_first);
        sqlite3_bind_int64(peer->delete, 2, peer->former_last);
        run(peer, peer->delete);
    }
    run(peer, peer->commit);
    peer->is_in_transaction = false;
    peer->former_first = peer->batch_first;
    peer->former_last = peer->sequence;
}

// MARK: libmosquitto

static void connected(struct mosquitto *mosquitto, void *context, int code) {
    struct peer *peer = context;
    peer->progress++;
    if (code != 0) fail("connect", mosquitto_connack_string(code));
    int result = mosquitto_subscribe(mosquitto, NULL, "home/+/temperature", 1);
    if (result != MOSQ_ERR_SUCCESS) fail("subscribe", mosquitto_strerror(result));
}

static void received(struct mosquitto *mosquitto, void *context, const struct mosquitto_message *message) {
    (void)mosquitto;
    struct peer *peer = context;
    peer->progress++;
    if (!peer->is_in_transaction) {
        run(peer, peer->begin);
        peer->is_in_transaction = true;
        peer->batch_first = peer->sequence + 1;
    }
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    sqlite3_stmt *insert = peer->insert;
    sqlite3_bind_int64(insert, 1, ++peer->sequence);
    sqlite3_bind_text(insert, 2, message->topic, -1, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 3, message->payload, message->payloadlen, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 4, (sqlite3_int64)time.tv_sec * 1000000000 + time.tv_nsec);
    run(peer, insert);
}

static void open_connection(struct peer *peer, int port, int version) {
    mosquitto_lib_init();
    peer->mosquitto = mosquitto_new("durable-peer", true, peer);
    if (!peer->mosquitto) fail("mosquitto_new", strerror(errno));
    mosquitto_int_option(peer->mosquitto, MOSQ_OPT_PROTOCOL_VERSION, version);
    mosquitto_int_option(peer->mosquitto, MOSQ_OPT_TCP_NODELAY, 1);
    // Acknowledgements are queued, and leave with our next mosquitto_loop_write.
    mosquitto_threaded_set(peer->mosquitto, true);
    mosquitto_connect_callback_set(peer->mosquitto, connected);
    mosquitto_message_callback_set(peer->mosquitto, received);
    int result = mosquitto_connect(peer->mosquitto, "127.0.0.1", port, 30);
    if (result != MOSQ_ERR_SUCCESS) fail("connect", mosquitto_strerror(result));
}

// EAGAIN alone does not mean drained: the library's wake-up socket, which nobody reads, leaves it behind as well.
static void drain(struct peer *peer) {
    long before;
    do {
        before = peer->progress;
        errno = 0;
        int result = mosquitto_loop_read(peer->mosquitto, 1);
        if (result != MOSQ_ERR_SUCCESS) fail("read", mosquitto_strerror(result));
    } while (peer->progress != before || errno != EAGAIN);
}

static void flush(struct peer *peer) {
    if (!mosquitto_want_write(peer->mosquitto)) return;
    int socket = mosquitto_socket(peer->mosquitto), on = 1, off = 0;
    setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    int result = mosquitto_loop_write(peer->mosquitto, 1);
    if (result != MOSQ_ERR_SUCCESS) fail("write", mosquitto_strerror(result));
    setsockopt(socket, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
}

int main(int count, char **arguments) {
    if (count < 6) fail("usage", "durable-peer PORT DATABASE full|normal 4|5 MESSAGES [delete]");
    struct peer peer = {.deletes = count > 6 && strcmp(arguments[6], "delete") == 0};
    long long messages = atoll(arguments[5]);
    open_database(&peer, arguments[2], arguments[3]);
    open_connection(&peer, atoi(arguments[1]), atoi(arguments[4]));
    while (peer.sequence < messages || mosquitto_want_write(peer.mosquitto)) {
        short events = (short)(POLLIN | (mosquitto_want_write(peer.mosquitto) ? POLLOUT : 0));
        struct pollfd entry = {.fd = mosquitto_socket(peer.mosquitto), .events = events};
        int ready = poll(&entry, 1, 1000);
        if (ready == 0) mosquitto_loop_misc(peer.mosquitto);
        if (entry.revents & (POLLIN | POLLHUP | POLLERR)) drain(&peer);
        commit(&peer);
        flush(&peer);
    }
    mosquitto_disconnect(peer.mosquitto);
    flush(&peer);
    mosquitto_destroy(peer.mosquitto);
    sqlite3_close_v2(peer.database);
    return 0;
}

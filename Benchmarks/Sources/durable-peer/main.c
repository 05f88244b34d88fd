// The C program that the bridge is measured against: libmosquitto with a poll loop of its own, which reads until the
// socket is drained, inserts each message into SQLite as it comes, commits, and only then lets the acknowledgements
// out in one corked write.
//
//   durable-peer PORT DATABASE full|normal 4|5 MESSAGES [delete]
//
// With "delete" a transaction also removes the batch before it: what a bridge does whose listeners are done with it.
// Ends when that many messages were committed and acknowledged.
#include <mosquitto.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drained_loop.h"
#include "peer_arguments.h"

struct peer {
    struct drained_loop loop;
    sqlite3 *database;
    sqlite3_stmt *begin, *insert, *delete, *commit;
    bool is_in_transaction, deletes;
    long long sequence, batch_first, former_first, former_last;
};

// MARK: SQLite

static void execute(struct peer *peer, const char *text) {
    if (sqlite3_exec(peer->database, text, NULL, NULL, NULL) != SQLITE_OK)
        peer_fail(text, sqlite3_errmsg(peer->database));
}

static sqlite3_stmt *prepare(struct peer *peer, const char *text) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(peer->database, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        peer_fail(text, sqlite3_errmsg(peer->database));
    return statement;
}

static void run(struct peer *peer, sqlite3_stmt *statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) peer_fail(sqlite3_sql(statement), sqlite3_errmsg(peer->database));
    sqlite3_reset(statement);
}

static void open_database(struct peer *peer, const char *path, const char *synchronous) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &peer->database, flags, NULL) != SQLITE_OK)
        peer_fail("open the database", sqlite3_errmsg(peer->database));
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
    peer->loop.progress++;
    if (code != 0) peer_fail("connect", mosquitto_connack_string(code));
    int result = mosquitto_subscribe(mosquitto, NULL, "home/+/temperature", 1);
    if (result != MOSQ_ERR_SUCCESS) peer_fail("subscribe", mosquitto_strerror(result));
}

static void received(struct mosquitto *mosquitto, void *context, const struct mosquitto_message *message) {
    (void)mosquitto;
    struct peer *peer = context;
    peer->loop.progress++;
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

static void subscribed(struct mosquitto *mosquitto, void *context, int identifier, int number, const int *granted) {
    (void)identifier, (void)number, (void)granted;
    struct peer *peer = context;
    peer->loop.progress++;
    mosquitto_publish(mosquitto, NULL, "ready", 0, NULL, 0, false);
}

static void set_callbacks(struct mosquitto *mosquitto) {
    mosquitto_connect_callback_set(mosquitto, connected);
    mosquitto_subscribe_callback_set(mosquitto, subscribed);
    mosquitto_message_callback_set(mosquitto, received);
}

int main(int count, char **arguments) {
    if (count < 6) peer_fail("usage", "durable-peer PORT DATABASE full|normal 4|5 MESSAGES [delete]");
    struct peer peer = {.deletes = count > 6 && strcmp(arguments[6], "delete") == 0};
    long long messages = atoll(arguments[5]);
    open_database(&peer, arguments[2], arguments[3]);
    drained_loop_open(
        &peer.loop, "durable-peer", atoi(arguments[1]), atoi(arguments[4]), &peer, set_callbacks
    );
    while (peer.sequence < messages || mosquitto_want_write(peer.loop.mosquitto)) {
        drained_loop_read(&peer.loop);
        commit(&peer);
        drained_loop_flush(&peer.loop);
    }
    drained_loop_close(&peer.loop);
    sqlite3_close_v2(peer.database);
    return 0;
}

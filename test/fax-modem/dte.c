/*
 * One pty: bytes in and out, the log of them, and how long the program on it takes to answer a result code.
 *
 * Bytes for the program are queued without limit of time: a program that does not read loses nothing here, as it would
 * with a modem whose flow control it honours.
 */
#define _GNU_SOURCE
#include "modem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define QUEUE_LIMIT (4u << 20)

static FILE *log_file;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void log_bytes(struct dte *dte, char direction, const uint8_t *data, size_t length)
{
    if (!options.log) return;
    if (!log_file && !(log_file = fopen(options.log, "w"))) die(options.log);
    fprintf(log_file, "%10.3f %s %c ", now_samples / 8000.0, dte->name, direction);
    for (size_t i = 0; i < length && i < 160; i++) {
        if (data[i] >= 0x20 && data[i] < 0x7f)
            fputc(data[i], log_file);
        else
            fprintf(log_file, "<%02x>", data[i]);
    }
    if (length > 160) fprintf(log_file, " … %zu bytes", length);
    fputc('\n', log_file);
    fflush(log_file);
}

void dte_open(struct dte *dte, const char *name)
{
    dte->name = name;
    dte->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (dte->master < 0 || grantpt(dte->master) || unlockpt(dte->master)) die("pty");
    if (ptsname_r(dte->master, dte->path, sizeof dte->path)) die("ptsname");
    /* Kept open, so that the program may come and go. */
    dte->slave = open(dte->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (dte->slave < 0) die(dte->path);
    struct termios mode;
    if (tcgetattr(dte->slave, &mode)) die("tcgetattr");
    cfmakeraw(&mode);
    cfsetspeed(&mode, B115200);
    if (tcsetattr(dte->slave, TCSANOW, &mode)) die("tcsetattr");
    if (fcntl(dte->master, F_SETFL, O_NONBLOCK)) die("fcntl");
}

static bool ends_with(struct dte *dte, const char *text)
{
    size_t length = strlen(text);
    return memcmp(dte->tail + sizeof dte->tail - length, text, length) == 0;
}

static void pass_turn(struct dte *dte)
{
    dte->quiet_from = now_samples;
    dte->quiet_since = real_seconds();
}

void dte_put(struct dte *dte, const uint8_t *data, size_t length)
{
    static const char *const finals[] = {"OK\r\n",     "CONNECT\r\n",  "ERROR\r\n", "CARRIER\r\n",
                                         "BUSY\r\n",   "ANSWER\r\n",   "DIALTONE\r\n"};
    log_bytes(dte, '<', data, length);
    pass_turn(dte);
    if (dte->queued + length > QUEUE_LIMIT) return;
    if (dte->queued + length > dte->room) {
        dte->room = (dte->queued + length) * 2;
        dte->queue = realloc(dte->queue, dte->room);
        if (!dte->queue) die("memory");
    }
    memcpy(dte->queue + dte->queued, data, length);
    dte->queued += length;
    for (size_t i = 0; i < length; i++) {
        memmove(dte->tail, dte->tail + 1, sizeof dte->tail - 1);
        dte->tail[sizeof dte->tail - 1] = data[i];
    }
    /* A frame, or a page: its result comes when its carrier is gone, and until then there is nothing to answer. */
    if (ends_with(dte, "\x10\x03")) dte->owes = false;
    for (size_t i = 0; i < sizeof finals / sizeof *finals; i++) {
        if (ends_with(dte, finals[i])) {
            dte->owes = true;
            dte->owed_since = real_seconds();
        }
    }
    dte_flush(dte);
}

void dte_say(struct dte *dte, const char *text)
{
    char line[200];
    snprintf(line, sizeof line, "\r\n%s\r\n", text);
    dte_put(dte, (const uint8_t *) line, strlen(line));
}

void dte_flush(struct dte *dte)
{
    while (dte->queued > 0) {
        ssize_t sent = write(dte->master, dte->queue, dte->queued);
        if (sent <= 0) {
            if (sent < 0 && errno == EINTR) continue;
            return;
        }
        dte->queued -= sent;
        memmove(dte->queue, dte->queue + sent, dte->queued);
    }
}

size_t dte_take(struct dte *dte, uint8_t *data, size_t most)
{
    ssize_t length = read(dte->master, data, most);
    if (length <= 0) return 0;
    log_bytes(dte, '>', data, length);
    pass_turn(dte);
    if (dte->owes) {
        dte->owes = false;
        double waited = (real_seconds() - dte->owed_since) * 1000;
        if (dte->data_sent) {
            dte->data_sent = false;
            if (waited > dte->longest_after_data) dte->longest_after_data = waited;
            return length;
        }
        if (dte->wait_count == dte->wait_room) {
            dte->wait_room = dte->wait_room ? dte->wait_room * 2 : 256;
            dte->waits = realloc(dte->waits, dte->wait_room * sizeof *dte->waits);
            if (!dte->waits) die("memory");
        }
        dte->waits[dte->wait_count++] = waited;
    }
    return length;
}

size_t dte_unread(struct dte *dte)
{
    int waiting = 0;
    if (ioctl(dte->slave, FIONREAD, &waiting) != 0) waiting = 0;
    return dte->queued + waiting;
}

void dte_look(struct dte *dte)
{
    int waiting = 0;
    if (ioctl(dte->master, FIONREAD, &waiting) == 0 && waiting > dte->held_back) dte->held_back = waiting;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

/* Real time between a result code and the next byte, ms; then it counts anew. */
void dte_report_waits(struct dte *dte)
{
    report_number("heldBack", dte->held_back);
    dte->held_back = 0;
    report_number("longestAfterData", dte->longest_after_data);
    dte->longest_after_data = 0;
    report_number("answers", dte->wait_count);
    if (dte->wait_count > 0) {
        qsort(dte->waits, dte->wait_count, sizeof *dte->waits, ascending);
        report_number("answerMedian", dte->waits[dte->wait_count / 2]);
        report_number("answerP99", dte->waits[(dte->wait_count * 99 - 1) / 100]);
        report_number("answerMax", dte->waits[dte->wait_count - 1]);
    }
    dte->wait_count = 0;
}

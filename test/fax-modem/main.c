/*
 * The soft fax modem: options, and the pump that moves time on.
 *
 * In real time a tick of 20 ms of audio is due every 20 ms. With --speed N it is due N times as often while the modems
 * work, and at its own pace whenever a modem waits for the program on its pty: that program has in every speed the time
 * that it has in life. Commands on standard input: `ring [CALLER [FILE]]`, `drop`; its end ends the program.
 */
#define _GNU_SOURCE
#include "modem.h"
#include <getopt.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct options options = {
    .class = "1", .speed = 1, .seconds = 900, .directory = ".", .station = "+49 30 555 1234",
    .modems = T30_SUPPORT_V27TER | T30_SUPPORT_V29 | T30_SUPPORT_V17,
    .codings = T30_SUPPORT_T4_1D_COMPRESSION | T30_SUPPORT_T4_2D_COMPRESSION,
    .outcomes = {"answer"}, .outcome_count = 1, .answer_after = 2, .ring_every = 5, .drop_in_page = -1, .seed = 1,
};
int64_t now_samples;

static struct modem modems[2];
static int modem_count = 1;

static const struct option names[] = {
    {"class", 1, NULL, 'c'},        {"pair", 0, NULL, 'p'},          {"speed", 1, NULL, 's'},
    {"patience", 1, NULL, 'w'},     {"seconds", 1, NULL, 'T'},       {"directory", 1, NULL, 'd'},
    {"send", 1, NULL, 't'},
    {"station", 1, NULL, 'i'},      {"ecm", 0, NULL, 'e'},           {"max-rate", 1, NULL, 'r'},
    {"codings", 1, NULL, 'g'},      {"outcomes", 1, NULL, 'o'},      {"answer-after", 1, NULL, 'a'},
    {"ring-every", 1, NULL, 'R'},   {"line-delay", 1, NULL, 'y'},    {"drop-after", 1, NULL, 'D'},
    {"drop-in-page", 1, NULL, 'P'}, {"noise", 1, NULL, 'n'},         {"burst", 1, NULL, 'b'},
    {"spoil-training", 1, NULL, 'S'}, {"refuse-pages", 1, NULL, 'F'}, {"seed", 1, NULL, 'z'},
    {"coarse", 0, NULL, 'C'},       {"row-time", 1, NULL, 'm'},
    {"log", 1, NULL, 'l'},          {"frames", 0, NULL, 'f'},        {"clock", 1, NULL, 'k'},
    {NULL, 0, NULL, 0},
};

static void wrong(const char *what, const char *value)
{
    fprintf(stderr, "soft-modem: %s: %s\n", what, value);
    exit(2);
}

static int codings_of(const char *value)
{
    if (strcmp(value, "MH") == 0) return T30_SUPPORT_T4_1D_COMPRESSION;
    if (strcmp(value, "MR") == 0) return T30_SUPPORT_T4_1D_COMPRESSION | T30_SUPPORT_T4_2D_COMPRESSION;
    if (strcmp(value, "MMR") == 0)
        return T30_SUPPORT_T4_1D_COMPRESSION | T30_SUPPORT_T4_2D_COMPRESSION | T30_SUPPORT_T6_COMPRESSION;
    wrong("--codings is MH, MR or MMR, not", value);
    return 0;
}

static void read_outcomes(char *list)
{
    options.outcome_count = 0;
    for (char *one = strtok(list, ","); one && options.outcome_count < LIST; one = strtok(NULL, ","))
        options.outcomes[options.outcome_count++] = one;
    if (options.outcome_count == 0) wrong("--outcomes", "empty");
}

static void read_burst(const char *value)
{
    struct burst *burst = &options.bursts[options.burst_count];
    burst->way = -1;
    if (options.burst_count == LIST || sscanf(value, "%lf:%lf:%f", &burst->at, &burst->length, &burst->level) != 3)
        wrong("--burst is AT:LENGTH:LEVEL (at most 16), not", value);
    options.burst_count++;
}

static void read_options(int argc, char **argv)
{
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 'c': options.class = optarg; break;
        case 'p': options.pair = true; options.line_delay = 0.04; break;
        case 's': options.speed = atof(optarg); break;
        case 'w': options.patience = atof(optarg); break;
        case 'T': options.seconds = atof(optarg); break;
        case 'd': options.directory = optarg; break;
        case 't': options.send = optarg; break;
        case 'i': options.station = optarg; break;
        case 'e': options.ecm = true; break;
        case 'r':
            options.modems = T30_SUPPORT_V27TER;
            if (atoi(optarg) >= 7200) options.modems |= T30_SUPPORT_V29;
            if (atoi(optarg) >= 12000) options.modems |= T30_SUPPORT_V17;
            break;
        case 'g': options.codings = codings_of(optarg); break;
        case 'o': read_outcomes(optarg); break;
        case 'a': options.answer_after = atof(optarg); break;
        case 'R': options.ring_every = atof(optarg); break;
        case 'y': options.line_delay = atof(optarg); break;
        case 'D': options.drop_after = atof(optarg); break;
        case 'P':
            if (sscanf(optarg, "%d:%lf", &options.drop_in_page, &options.drop_in_page_after) != 2)
                wrong("--drop-in-page is PAGE:SECONDS, not", optarg);
            break;
        case 'n': options.noise = atof(optarg); break;
        case 'b': read_burst(optarg); break;
        case 'S': options.spoil_training = atoi(optarg); break;
        case 'F': options.refuse_pages = atoi(optarg); break;
        case 'z': options.seed = atoi(optarg); break;
        case 'C': options.coarse = true; break;
        case 'm': options.row_time = atoi(optarg); break;
        case 'l': options.log = optarg; break;
        case 'f': options.frames = true; break;
        case 'k': options.clock = optarg; break;
        default: exit(2);
        }
    }
    if (options.speed < 1 || options.speed > 100) wrong("--speed is 1 to 100", "");
}

/* Where programs beside this one read the time on the line: samples, as a 64-bit number in a file. */
static volatile int64_t *open_clock(void)
{
    static volatile int64_t unread;
    if (!options.clock) return &unread;
    int file = open(options.clock, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof unread)) wrong("--clock", options.clock);
    void *shared = mmap(NULL, sizeof unread, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) wrong("--clock", options.clock);
    close(file);
    return shared;
}

static void command(char *line)
{
    char *word = strtok(line, " \n");
    if (!word) return;
    if (strcmp(word, "ring") == 0) {
        char *caller = strtok(NULL, " \n");
        exchange_ring(caller, caller ? strtok(NULL, "\n") : NULL);
    } else if (strcmp(word, "drop") == 0) {
        exchange_drop();
    }
}

/* @returns false at the end of the input */
static bool read_commands(void)
{
    static char text[2048];
    static size_t held;
    ssize_t length = read(STDIN_FILENO, text + held, sizeof text - 1 - held);
    if (length <= 0) return false;
    held += length;
    text[held] = 0;
    for (char *end; (end = strchr(text, '\n'));) {
        *end = 0;
        command(text);
        held -= end + 1 - text;
        memmove(text, end + 1, held + 1);
    }
    return held < sizeof text - 1;
}

static void read_dte(struct modem *modem)
{
    uint8_t data[256];
    size_t length = dte_take(&modem->dte, data, sizeof data);
    if (length > 0) modem->from_dte(modem, data, length);
}

static double pace(void)
{
    double tick = TICK / 8000.0;
    if (options.speed <= 1 || !exchange_busy()) return tick;
    for (int i = 0; i < modem_count; i++)
        if (modems[i].waits(&modems[i])) return tick;
    return tick / options.speed;
}

/*
 * A program that a busy machine keeps from running would come too late on the line, or too late with its page. With
 * --patience the line waits for it: it goes on for as long as a program that runs may take, then it stands still, but not
 * for ever, since the program may have nothing more to say.
 */
static bool stands_still(void)
{
    if (options.speed <= 1 || !exchange_busy()) return false;
    for (int i = 0; i < modem_count; i++) {
        struct dte *dte = &modems[i].dte;
        if (modems[i].waits(&modems[i]) && now_samples - dte->quiet_from >= SAMPLES(0.1)
            && real_seconds() - dte->quiet_since < options.patience)
            return true;
    }
    return false;
}

/* Faster than life, time waits for a program that is behind with reading. */
static bool backed_up(void)
{
    for (int i = 0; i < modem_count; i++)
        if (dte_unread(&modems[i].dte) > 1024) return true;
    return false;
}

static bool serve(double until)
{
    struct pollfd polls[3] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    for (int i = 0; i < modem_count; i++) {
        /* Between two programs a pty holds what a serial driver would have kept back after XOFF: it waits there. */
        bool closed = modems[i].holds(&modems[i]);
        if (closed) dte_look(&modems[i].dte);
        polls[i + 1].fd = modems[i].dte.master;
        polls[i + 1].events = (closed ? 0 : POLLIN) | (modems[i].dte.queued > 0 ? POLLOUT : 0);
    }
    double left = until - real_seconds();
    if (left < 0) left = 0;
    struct timespec wait = {(time_t) left, (long) ((left - (time_t) left) * 1e9)};
    if (ppoll(polls, modem_count + 1, &wait, NULL) <= 0) return true;
    if (polls[0].revents && !read_commands()) return false;
    for (int i = 0; i < modem_count; i++) {
        if (polls[i + 1].revents & POLLOUT) dte_flush(&modems[i].dte);
        if (polls[i + 1].revents & POLLIN) read_dte(&modems[i]);
    }
    return true;
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    modem_count = options.pair ? 2 : 1;
    volatile int64_t *shown = open_clock();
    report_begin("ready");
    for (int i = 0; i < modem_count; i++) {
        modems[i].index = i;
        dte_open(&modems[i].dte, i == 0 ? "first" : "second");
        if (strcmp(options.class, "1") == 0)
            class1_open(&modems[i]);
        else
            class2_open(&modems[i]);
        report_text(modems[i].dte.name, modems[i].dte.path);
    }
    exchange_open(modems, modem_count);
    line_reset();
    report_end();

    double end = real_seconds() + options.seconds, last = real_seconds();
    while (real_seconds() < end) {
        if (!serve(last + pace())) break;
        double now = real_seconds(), step = pace();
        if (now < last + step) continue;
        if (options.speed <= 1 || (!backed_up() && !stands_still())) exchange_tick();
        *shown = now_samples;
        last += step;
        /* A machine that gave us no time for so long has made the line stutter. */
        if (options.speed <= 1 && now - last > 0.5) {
            report_begin("late");
            report_number("ms", (now - last) * 1000);
            report_end();
        }
        if (options.speed > 1 || now - last > 0.5) last = now;
    }
    far_end_stop();
    return 0;
}

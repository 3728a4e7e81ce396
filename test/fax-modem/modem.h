/*
 * The parts of the soft fax modem and what they tell each other.
 *
 * One or two modems (T.31 by SpanDSP, or a Class 2 front end of our own) stand on ptys; an exchange joins their audio to
 * a far end (a fax machine by SpanDSP, a voice, silence) or to each other. Time is counted in samples of 8 kHz; a pump
 * in main.c moves it on, 160 samples (20 ms) a tick.
 */
#ifndef SOFT_MODEM_H
#define SOFT_MODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <spandsp.h>

#define TICK 160
#define SAMPLES(seconds) ((int64_t) ((seconds) * 8000))
#define LIST 16
#define SILENT -99.0f /* the level of a burst in which nothing is heard at all */

enum far_kind { FAR_FAX, FAR_VOICE, FAR_SILENCE };

struct burst {
    double at, length;       /* seconds since the call was connected */
    float level;             /* dBm0 */
    int way;                 /* 0: from the first station, 1: to it, -1: both */
};

struct options {
    const char *class;       /* "1", "2" or "2.0" */
    bool pair;
    double speed;
    double patience;         /* faster than life: so many seconds the line stands still for a program whose turn it is */
    double seconds;          /* the program ends itself after these, of real time */
    const char *directory;   /* received pages: call-N.tif */
    const char *send;        /* the far end sends this TIFF when it is called, and when it calls */
    const char *station;
    bool ecm;
    int modems, codings;
    bool coarse;             /* prints 98 rows an inch only */
    int row_time;            /* ms that it needs for a row */
    const char *outcomes[LIST];
    int outcome_count;
    double answer_after, ring_every, line_delay;
    double drop_after, drop_in_page_after;
    int drop_in_page;
    float noise;             /* dBm0; 0: none */
    struct burst bursts[LIST];
    int burst_count;
    int spoil_training;      /* so many TCFs are covered with noise */
    int refuse_pages;        /* so many pages are refused with RTN */
    int seed;
    const char *log;
    const char *clock;
    bool frames;
};

extern struct options options;
extern int64_t now_samples;

/* report.c: one JSON object a line on standard output. */
void report_begin(const char *event);
void report_text(const char *key, const char *value);
void report_number(const char *key, double value);
void report_flag(const char *key, bool value);
void report_end(void);
double real_seconds(void);

/* dte.c: a pty, and how long the program on it takes to answer. */
struct dte {
    int master, slave;
    char path[64];
    uint8_t *queue;
    size_t queued, room;
    uint8_t tail[16];
    int held_back;           /* the most that came after XOFF, bytes */
    bool owes;
    double owed_since;
    int64_t quiet_from;      /* since when nothing has passed between them, on the line and in life */
    double quiet_since;
    bool data_sent;          /* what is answered next is the end of a training check or of a page */
    double longest_after_data;
    double *waits;
    size_t wait_count, wait_room;
    const char *name;
};
void dte_open(struct dte *dte, const char *name);
void dte_put(struct dte *dte, const uint8_t *data, size_t length);
void dte_say(struct dte *dte, const char *text);
void dte_flush(struct dte *dte);
/* Reads what came, at most `most` bytes; 0 when there is nothing. */
size_t dte_take(struct dte *dte, uint8_t *data, size_t most);
/* How many bytes more the program has already sent. */
void dte_look(struct dte *dte);
/* How many bytes the program has not read yet. */
size_t dte_unread(struct dte *dte);
void dte_report_waits(struct dte *dte);

/* What the exchange tells a modem. */
enum call_event { CALL_RING, CALL_ANSWERED, CALL_CONNECTED, CALL_BUSY, CALL_NO_ANSWER, CALL_NO_DIAL_TONE };

/* class1.c, class2.c */
struct modem {
    struct dte dte;
    int index;
    void *state;
    void (*from_dte)(struct modem *modem, const uint8_t *data, size_t length);
    void (*event)(struct modem *modem, enum call_event event, const char *caller);
    int (*tx)(struct modem *modem, int16_t *audio, int length);
    void (*rx)(struct modem *modem, int16_t *audio, int length);
    /* It can do nothing until the program on the pty does something: time passes at its own pace then. */
    bool (*waits)(struct modem *modem);
    /* It asked with XOFF for a pause. */
    bool (*holds)(struct modem *modem);
};
void class1_open(struct modem *modem);
void class2_open(struct modem *modem);

/* exchange.c: who calls whom. */
void exchange_open(struct modem *modems, int count);
void exchange_dial(struct modem *modem, const char *number);
void exchange_answer(struct modem *modem);
void exchange_hang_up(struct modem *modem);
void exchange_ring(const char *caller, const char *file);
void exchange_drop(void);
void exchange_tick(void);
/* Something is under way that need not be waited for in real time. */
bool exchange_busy(void);
double exchange_call_seconds(void);
/* A page began (counted from 0); a training comes from station `way`, and may have to be spoilt. */
void exchange_page_begins(int page);
void exchange_spoil(int way, bool long_training);

/* line.c: two directions of audio. */
void line_reset(void);
void line_carry(int direction, int16_t *audio, double call_seconds, bool cut);
void line_burst(struct burst burst);

/* far-end.c */
void far_end_start(enum far_kind kind, bool calling, const char *file, int call);
int far_end_tx(int16_t *audio, int length);
void far_end_rx(int16_t *audio, int length);
void far_end_stop(void);
/* What the frames of a call are to the harness, whoever's T.30 engine reports them. */
void watch_frames(t30_state_t *t30);

#endif

/* What the two halves of the Class 2 front end share: its commands (class2.c) and its calls (class2-call.c). */
#ifndef CLASS2_H
#define CLASS2_H

#include "modem.h"

/* T.32, table 9 and EIA PN-2388: what a session can do, and what it does. */
struct capabilities {
    int vr, br, wd, ln, df, ec, bf, st;
};

enum what_dte_sends { COMMANDS, PAGE_DATA, WAITS_FOR_DC2 };

/* With error correction a partial page is taken before it is sent: 64 frames of 256 octets, so that pages have several. */
#define BLOCK_FRAMES 64
#define BLOCK (BLOCK_FRAMES * 256)
#define PAGE_BUFFER (BLOCK + 8192)

struct class2 {
    struct modem *modem;
    bool v20;                  /* Class 2.0, ITU-T T.32; else Class 2, EIA PN-2388 */
    int fclass;
    bool echo, quiet, can_receive, caller_id;
    bool direct_order;         /* +FBO=0, +FBOR=1: received data as it came, low bit first */
    struct capabilities own;
    char ident[21];
    char line[300];
    int line_length;
    enum what_dte_sends mode;

    /* The call */
    fax_state_t *fax;
    bool calling, off_hook, dial_waits, connected_told;
    bool frozen;               /* the engine stands still until the DTE has decided */
    uint8_t held[64];          /* a frame that it is not told of before */
    int held_length;
    bool block_wanted;         /* the engine is to send a partial page that the DTE has not given yet */
    bool answer_told;          /* the DTE knows what became of the page, the engine does not yet */
    int taken_block;           /* page and number of the partial page that was handed over last, -1 none */
    int coming_block, coming_frames; /* of the one that is coming; a PPS after PPR counts what was sent again only */
    hdlc_frame_handler_t frame_handler;
    void *frame_user;
    bool wants_connect;        /* +FDT or +FDR came; CONNECT follows with phase C */
    bool fcfr;
    int post;                  /* 0 MPS, 1 EOM, 2 EOP, -1 not known */
    int post_answer;           /* 1 MCF, 2 RTN, 3 RTP of the last page */

    uint8_t page[PAGE_BUFFER];
    int page_length;
    bool page_ended, held_up, after_dle;
    int bits, bit_count;
    bool receiving;
    int64_t settled_at;        /* one second after DLE ETX went out */
    uint8_t *pending;          /* received and not handed over: before DC2, and within one tick */
    size_t pending_length, pending_room;
    bool flowing;
    int hang_up_code;
};

/* class2-call.c */
bool call_wants_data(const struct class2 *c);
void call_begin(struct class2 *c, bool calling);
void call_end(struct class2 *c);
void call_data_from_dte(struct class2 *c, const uint8_t *data, size_t length);
void call_send_document(struct class2 *c);    /* AT+FDT */
void call_receive_document(struct class2 *c); /* AT+FDR */
void call_post_page(struct class2 *c, int post);
void call_start_flow(struct class2 *c);
void call_cancel(struct class2 *c);           /* CAN */
int call_tx(struct modem *modem, int16_t *audio, int length);
void call_rx(struct modem *modem, int16_t *audio, int length);

/* class2.c */
void say(struct class2 *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_capabilities(struct class2 *c, const char *name, const struct capabilities *caps);

#endif

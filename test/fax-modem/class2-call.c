/*
 * Calls of the Class 2 front end. T.30 is SpanDSP's terminal; here it is opened at four places: page data comes from the
 * DTE instead of a file and goes to it, a frame that the DTE has to decide about (DIS, MPS, EOM, EOP) is kept from the
 * engine until it has, and so is the time meanwhile.
 *
 * The engine thinks that it sends a file of a hundred empty pages; whether MPS, EOM or EOP follows is set as the DTE says.
 *
 * With error correction (T.30, Annex A) the engine keeps partial pages of its own. What it made of the file is replaced by
 * what the DTE gave, before the frames go out: CFR, and MCF where more follows, are kept from it until there is enough. A
 * partial page that has come whole is handed to the DTE when its PPS arrives. For the engine the file is full of noise
 * then, so that it never thinks that a page is over.
 */
#define _GNU_SOURCE
#include "class2.h"
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#define MOST_PAGES 100
#define NOISE_PAGES 12
#define NOISE_ROWS 500
#define DLE 0x10
#define ETX 0x03
#define XON 0x11
#define XOFF 0x13

/* States of SpanDSP's T.30 engine. */
#define SENDS_PAGE 19
#define RECEIVES_PAGE 10
#define HAS_RECEIVED_PAGE 11
#define RECEIVES_FRAMES 12

static const int rates[] = {2400, 4800, 7200, 9600, 12000, 14400};

static t30_state_t *engine(struct class2 *c)
{
    return &c->fax->t30;
}

static bool corrects(struct class2 *c)
{
    return engine(c)->error_correcting_mode;
}

static void put(struct class2 *c, uint8_t byte)
{
    dte_put(&c->modem->dte, &byte, 1);
}

static void path_of(struct class2 *c, const char *what, char *path, size_t room)
{
    snprintf(path, room, "%s/%s-%d-%d.tif", options.directory, what, c->modem->index, (int) getpid());
}

/* Pages without content, for the engine to send: what it takes from them is their width and resolution. */
static void write_pages(const char *path, int vr, bool noise)
{
    TIFF *tiff = TIFFOpen(path, "w");
    if (!tiff) exit(2);
    uint8_t row[216] = {0};
    int rows = noise ? NOISE_ROWS : 8;
    unsigned int random = 1;
    for (int page = 0; page < (noise ? NOISE_PAGES : MOST_PAGES); page++) {
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 1728);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, rows);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITT_T6);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
        TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, vr ? 196.0 : 98.0);
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
        for (int y = 0; y < rows; y++) {
            for (int x = 0; noise && x < (int) sizeof row; x++) {
                random = random * 1103515245 + 12345;
                row[x] = (uint8_t) (random >> 16);
            }
            TIFFWriteScanline(tiff, row, y, 0);
        }
        TIFFWriteDirectory(tiff);
    }
    TIFFClose(tiff);
}

/* How EC counts error correction (T.32, table 21; PN-2388). */
static int correction_of(const struct class2 *c)
{
    return c->v20 ? 1 : 2;
}

static struct capabilities of_dis(const struct class2 *c, const uint8_t *frame, int length)
{
    struct capabilities caps = {0, 0, 0, 0, 0, 0, 0, 0};
    if (length < 6) return caps;
    int rate = frame[4] & 0x3c;
    caps.br = rate == 0x2c ? 5 : rate & 0x04 ? 3 : rate == 0x08 ? 1 : 0;
    caps.vr = frame[4] & 0x40 ? 1 : 0;
    caps.df = frame[4] & 0x80 ? 1 : 0;
    caps.wd = (frame[5] & 0x03) == 2 ? 2 : frame[5] & 0x01;
    caps.ln = frame[5] & 0x08 ? 2 : frame[5] & 0x04 ? 1 : 0;
    if (length > 6 && frame[5] & 0x80 && frame[6] & 0x04) {
        caps.ec = correction_of(c);
        if (frame[6] & 0x40) caps.df = 3;
    }
    return caps;
}

static struct capabilities of_session(struct class2 *c)
{
    t30_stats_t stats;
    t30_get_transfer_statistics(engine(c), &stats);
    struct capabilities caps = {0, 0, 0, 2, 0, 0, 0, 0};
    for (int i = 0; i < 6; i++)
        if (stats.bit_rate == rates[i]) caps.br = i;
    caps.vr = engine(c)->y_resolution == T4_Y_RESOLUTION_STANDARD ? 0 : 1;
    int coding = engine(c)->line_encoding;
    caps.df = coding == T4_COMPRESSION_ITU_T6 ? 3 : coding == T4_COMPRESSION_ITU_T4_2D ? 1 : 0;
    caps.ec = corrects(c) ? correction_of(c) : 0;
    return caps;
}

static void set_engine(struct class2 *c)
{
    t30_state_t *t30 = engine(c);
    t30_set_tx_ident(t30, c->ident);
    t30_set_ecm_capability(t30, c->own.ec > 0);
    t30_set_supported_compressions(t30, T30_SUPPORT_T4_1D_COMPRESSION
                                            | (c->own.df ? T30_SUPPORT_T4_2D_COMPRESSION : 0)
                                            | (c->own.df == 3 ? T30_SUPPORT_T6_COMPRESSION : 0));
    t30_set_supported_resolutions(t30, T30_SUPPORT_STANDARD_RESOLUTION | T30_SUPPORT_R8_RESOLUTION
                                           | (c->own.vr || c->calling ? T30_SUPPORT_FINE_RESOLUTION : 0));
    t30_set_supported_image_sizes(t30, T30_SUPPORT_215MM_WIDTH | T30_SUPPORT_A4_LENGTH | T30_SUPPORT_US_LETTER_LENGTH
                                           | T30_SUPPORT_US_LEGAL_LENGTH | T30_SUPPORT_UNLIMITED_LENGTH);
    t30_set_supported_modems(t30, T30_SUPPORT_V27TER | (c->own.br >= 2 ? T30_SUPPORT_V29 : 0)
                                      | (c->own.br >= 4 ? T30_SUPPORT_V17 : 0));
}

static void keep(struct class2 *c, uint8_t byte)
{
    if (c->pending_length == c->pending_room) {
        c->pending_room = c->pending_room ? c->pending_room * 2 : 4096;
        c->pending = realloc(c->pending, c->pending_room);
        if (!c->pending) exit(2);
    }
    c->pending[c->pending_length++] = byte;
}

/* A partial page that another one follows, or a page after which MPS goes out: the engine's next data is the DTE's. */
static bool may_go_on(struct class2 *c)
{
    return !engine(c)->ecm_at_page_end || c->post == 0;
}

static void hand_over(struct class2 *c)
{
    if (c->pending_length > 0) dte_put(&c->modem->dte, c->pending, c->pending_length);
    c->pending_length = 0;
}

static void start_page_data(struct class2 *c)
{
    say(c, "CONNECT");
    c->page_length = c->bit_count = 0;
    c->page_ended = c->held_up = c->after_dle = false;
    c->mode = PAGE_DATA;
    c->post = -1;
    if (!c->v20) put(c, XON);
}

static void end_of_received_page(struct class2 *c)
{
    if (!c->receiving) return;
    c->receiving = false;
    /* A DTE that has not asked for the page yet (DC2) gets its end with it. */
    keep(c, DLE);
    keep(c, ETX);
    if (!c->flowing) return;
    hand_over(c);
    c->settled_at = now_samples + SAMPLES(1);
    c->mode = COMMANDS;
}

static void finish(struct class2 *c)
{
    bool dialled = c->dial_waits;
    const char *word = c->hang_up_code == 0 || c->hang_up_code == 2 ? "OK" : dialled ? "NO CARRIER" : "ERROR";
    end_of_received_page(c);
    hand_over(c);
    c->mode = COMMANDS;
    c->dial_waits = false;
    say(c, c->v20 ? "+FHS:%02d" : "+FHNG: %d", c->hang_up_code);
    say(c, "%s", word);
    call_end(c);
}

/* Hang-up codes as in T.32, table 19, and PN-2388, table 8.2-2. */
static int code_of(int completion)
{
    switch (completion) {
    case T30_ERR_OK: return 0;
    case T30_ERR_T0_EXPIRED:
    case T30_ERR_T1_EXPIRED: return 11;
    case T30_ERR_CANNOT_TRAIN: return 27;
    case T30_ERR_TX_PHBDEAD:
    case T30_ERR_TX_BADDCS: return 25;
    case T30_ERR_TX_PHDDEAD:
    case T30_ERR_RETRYDCN: return 54;
    case T30_ERR_TX_BADPG: return 50;
    default: return 70;
    }
}

static void on_end(t30_state_t *t30, void *user, int completion)
{
    (void) t30;
    struct class2 *c = user;
    c->hang_up_code = code_of(completion);
}

static int on_page_answered(t30_state_t *t30, void *user, int result)
{
    (void) t30;
    struct class2 *c = user;
    if (!c->calling) return T30_ERR_OK;
    if (c->answer_told) return T30_ERR_OK;
    c->post_answer = (result & 0xFE) == T30_MCF ? 1 : (result & 0xFE) == (T30_RTP & 0xFE) ? 3 : 2;
    if (!c->v20) say(c, "+FPTS: %d", c->post_answer);
    if (c->post == 0) say(c, !c->v20 || c->post_answer != 2 ? "OK" : "ERROR");
    if (c->post == 2 && c->post_answer == 2) say(c, c->v20 ? "ERROR" : "OK");
    return T30_ERR_OK;
}

static int on_document(t30_state_t *t30, void *user, int status)
{
    (void) t30;
    (void) status;
    return ((struct class2 *) user)->post == 1;
}

static void on_frame(t30_state_t *t30, void *user, int incoming, const uint8_t message[], int length)
{
    (void) t30;
    struct class2 *c = user;
    if (length < 3) return;
    uint8_t fcf = message[2] & 0xFE;
    if (incoming && !c->connected_told) {
        c->connected_told = true;
        say(c, c->v20 ? "+FCO" : "+FCON");
    }
    if (incoming && fcf == (c->calling ? T30_CSI : T30_TSI & 0xFE)) {
        char ident[21];
        int count = 0;
        for (int i = length - 1; i > 2 && count < 20; i--) ident[count++] = (char) message[i];
        ident[count] = 0;
        say(c, c->v20 ? "%s:\"%20s\"" : "%s: \"%20s\"", c->v20 ? (c->calling ? "+FCI" : "+FTI")
                                                              : c->calling ? "+FCSI" : "+FTSI", ident);
    }
    if (!incoming && fcf == (T30_CFR & 0xFE)) {
        /* Training has held. A DTE that has not said +FDR yet is asked to. */
        struct capabilities session = of_session(c);
        say_capabilities(c, c->v20 ? "+FCS" : "+FDCS", &session);
        say(c, "OK");
        c->frozen = true;
        c->fcfr = true;
    }
}

static void deliver(struct class2 *c, uint8_t byte)
{
    if (!c->direct_order) byte = bit_reverse8(byte);
    if (byte == DLE) keep(c, DLE);
    keep(c, byte);
}

/* PPS: what came of the partial page, if all of it is there and was not handed over before. @returns whether it is */
static bool take_block(struct class2 *c, const uint8_t *pps)
{
    t30_state_t *t30 = engine(c);
    int block = pps[4] * 256 + pps[5];
    if (block != c->coming_block) c->coming_frames = pps[6] + 1;
    c->coming_block = block;
    int frames = c->coming_frames;
    for (int i = 0; i < frames; i++)
        if (t30->ecm_len[i] < 0) return false;
    if (block == c->taken_block || !c->receiving) return true;
    c->taken_block = block;
    for (int i = 0; i < frames; i++)
        for (int j = 0; j < t30->ecm_len[i]; j++) deliver(c, t30->ecm_data[i][j]);
    return true;
}

/* The page has begun or goes on: the DTE has not given what is to be sent next. */
static void want_block(struct class2 *c)
{
    c->block_wanted = true;
    if (!c->wants_connect) return;
    c->wants_connect = false;
    struct capabilities session = of_session(c);
    say_capabilities(c, c->v20 ? "+FCS" : "+FDCS", &session);
    start_page_data(c);
}

/* A frame from the line, before the engine gets it. */
static void on_hdlc(void *user, const uint8_t *frame, int length, int ok)
{
    struct class2 *c = user;
    if (ok && length >= 3 && length <= (int) sizeof c->held) {
        uint8_t fcf = frame[2] & 0xFE;
        if (fcf == T30_PPS && length >= 7 && !c->calling) {
            fcf = take_block(c, frame) ? frame[3] & 0xFE : T30_NULL;
        }
        bool dis = c->calling && fcf == T30_DIS && !c->wants_connect;
        bool end = !c->calling && (fcf == T30_MPS || fcf == T30_EOM || fcf == T30_EOP);
        bool more = c->calling && corrects(c) && (fcf == T30_CFR || (fcf == T30_MCF && may_go_on(c)));
        if (dis || end || more) {
            memcpy(c->held, frame, length);
            c->held_length = length;
            c->frozen = true;
        }
        if (more) {
            if (fcf == T30_MCF && engine(c)->ecm_at_page_end) {
                c->post_answer = 1;
                c->answer_told = true;
                if (!c->v20) say(c, "+FPTS: 1");
                say(c, "OK");
            }
            want_block(c);
            return;
        }
        if (dis) {
            on_frame(engine(c), c, 1, (const uint8_t[]) {0xff, 0x13, 0}, 3);
            struct capabilities far = of_dis(c, frame, length);
            c->dial_waits = false;
            say_capabilities(c, c->v20 ? "+FIS" : "+FDIS", &far);
            say(c, "OK");
            return;
        }
        if (end) {
            end_of_received_page(c);
            t30_stats_t stats;
            t30_get_transfer_statistics(engine(c), &stats);
            c->post_answer = stats.bad_rows * 10 > stats.length ? 2 : 1;
            say(c, c->v20 ? "+FPS:%d,%x,0,0,0" : "+FPTS: %d,%d,0,0,0", c->post_answer, stats.length);
            say(c, c->v20 ? "+FET:%d" : "+FET: %d", fcf == T30_MPS ? 0 : fcf == T30_EOM ? 1 : 2);
            say(c, "OK");
            return;
        }
    }
    c->frame_handler(c->frame_user, frame, length, ok);
}

static int xon_below(struct class2 *c)
{
    return corrects(c) ? BLOCK + 1024 : 1024;
}

bool call_wants_data(const struct class2 *c)
{
    return !c->held_up && c->page_length < xon_below((struct class2 *) c);
}

static void xon_when_due(struct class2 *c)
{
    if (!c->held_up || c->page_length >= xon_below(c)) return;
    c->held_up = false;
    put(c, XON);
}

/* Which post-page message the engine will send. */
static void set_post_page(struct class2 *c)
{
    t4_tx_state_t *tx = &engine(c)->t4.tx;
    tx->tiff.stop_page = c->post == 0 ? 1 << 20 : tx->current_page;
    c->page_ended = false;
}

static void release_held(struct class2 *c)
{
    c->frozen = false;
    if (c->held_length == 0) return;
    int length = c->held_length;
    c->held_length = 0;
    c->frame_handler(c->frame_user, c->held, length, 1);
}

/* Puts what the DTE gave in the place of the partial page that the engine has made ready. */
static void load_block(struct class2 *c)
{
    t30_state_t *t30 = engine(c);
    int length = c->page_length < BLOCK ? c->page_length : BLOCK;
    int frames = (length + 255) / 256;
    for (int i = 0; i < 256; i++) {
        int size = i < frames ? (i == frames - 1 ? length - i * 256 : 256) : 0;
        t30->ecm_data[i][3] = (uint8_t) i;
        memset(t30->ecm_data[i] + 4, 0, 256);
        memcpy(t30->ecm_data[i] + 4, c->page + i * 256, size);
        t30->ecm_len[i] = (int16_t) (i < frames ? 4 + 256 : -1);
    }
    t30->ecm_frames = frames;
    c->page_length -= length;
    memmove(c->page, c->page + length, c->page_length);
    t30->ecm_at_page_end = c->page_ended && c->page_length == 0;
    if (t30->ecm_at_page_end) set_post_page(c);
    xon_when_due(c);
    /* It may have taken its first frame already. */
    hdlc_tx_state_t *tx = &c->fax->modems.hdlc_tx;
    if (tx->len > 0 && t30->ecm_frames > 0) {
        tx->len = 0;
        tx->pos = 0;
        hdlc_tx_frame(tx, t30->ecm_data[0], t30->ecm_len[0]);
    }
}

static void send_block_when_due(struct class2 *c)
{
    if (!c->block_wanted || c->wants_connect) return;
    bool last = c->page_ended && c->post >= 0;
    if (c->page_length <= BLOCK && !last) return;
    c->block_wanted = false;
    release_held(c);
    load_block(c);
    c->answer_told = false;
}

static int next_bit(void *user)
{
    struct class2 *c = user;
    t30_state_t *t30 = engine(c);
    if (t30->state != SENDS_PAGE) return t30_non_ecm_get_bit(t30);
    if (c->bit_count == 0) {
        c->bits = 0;
        if (c->page_length > 0) {
            c->bits = c->page[0];
            memmove(c->page, c->page + 1, --c->page_length);
            xon_when_due(c);
        } else if (c->page_ended && c->post >= 0) {
            set_post_page(c);
            return SIG_STATUS_END_OF_DATA;
        }
        /* What comes late is padded with zeros, as modems do. */
        c->bit_count = 8;
    }
    int bit = c->bits & 1;
    c->bits >>= 1;
    c->bit_count--;
    return bit;
}

static void take_bit(void *user, int bit)
{
    struct class2 *c = user;
    t30_state_t *t30 = engine(c);
    bool page = t30->state == RECEIVES_PAGE || t30->state == HAS_RECEIVED_PAGE;
    if (bit >= 0 && c->receiving && page) {
        c->bits |= bit << c->bit_count;
        if (++c->bit_count == 8) {
            deliver(c, (uint8_t) c->bits);
            c->bits = c->bit_count = 0;
        }
    }
    t30_non_ecm_put_bit(t30, bit);
    /* The engine knows the end by its RTC; the data goes on until the carrier ends. */
    if (bit == SIG_STATUS_CARRIER_DOWN && t30->state != RECEIVES_PAGE) end_of_received_page(c);
}

/* The engine sets its modems up anew for each signal, and its taps with them. */
static void tap(struct class2 *c)
{
    fax_modems_state_t *m = &c->fax->modems;
    if (m->fast_modems.v17_tx.get_bit == t30_non_ecm_get_bit) v17_tx_set_get_bit(&m->fast_modems.v17_tx, next_bit, c);
    if (m->fast_modems.v29_tx.get_bit == t30_non_ecm_get_bit) v29_tx_set_get_bit(&m->fast_modems.v29_tx, next_bit, c);
    if (m->fast_modems.v27ter_tx.get_bit == t30_non_ecm_get_bit)
        v27ter_tx_set_get_bit(&m->fast_modems.v27ter_tx, next_bit, c);
    if (m->fast_modems.v17_rx.put_bit == t30_non_ecm_put_bit) v17_rx_set_put_bit(&m->fast_modems.v17_rx, take_bit, c);
    if (m->fast_modems.v29_rx.put_bit == t30_non_ecm_put_bit) v29_rx_set_put_bit(&m->fast_modems.v29_rx, take_bit, c);
    if (m->fast_modems.v27ter_rx.put_bit == t30_non_ecm_put_bit)
        v27ter_rx_set_put_bit(&m->fast_modems.v27ter_rx, take_bit, c);
    if (m->hdlc_rx.frame_handler != on_hdlc) {
        c->frame_handler = m->hdlc_rx.frame_handler;
        c->frame_user = m->hdlc_rx.frame_user_data;
        m->hdlc_rx.frame_handler = on_hdlc;
        m->hdlc_rx.frame_user_data = c;
    }
}

void call_begin(struct class2 *c, bool calling)
{
    char path[600];
    c->fax = fax_init(NULL, calling);
    c->calling = calling;
    c->off_hook = true;
    c->frozen = c->connected_told = c->wants_connect = c->fcfr = c->receiving = false;
    c->block_wanted = c->answer_told = false;
    c->held_length = c->page_length = c->bit_count = 0;
    c->taken_block = c->coming_block = -1;
    c->post = -1;
    c->hang_up_code = -1;
    fax_set_transmit_on_idle(c->fax, 1);
    set_engine(c);
    path_of(c, calling ? "sends" : "receives", path, sizeof path);
    if (calling)
        t30_set_tx_file(engine(c), path, -1, -1);
    else
        t30_set_rx_file(engine(c), path, -1);
    t30_set_phase_d_handler(engine(c), on_page_answered, c);
    t30_set_phase_e_handler(engine(c), on_end, c);
    t30_set_document_handler(engine(c), on_document, c);
    t30_set_real_time_frame_handler(engine(c), on_frame, c);
}

void call_end(struct class2 *c)
{
    c->mode = COMMANDS;
    c->dial_waits = false;
    c->pending_length = 0;
    if (c->fax) {
        char path[600];
        path_of(c, c->calling ? "sends" : "receives", path, sizeof path);
        unlink(path);
        t30_terminate(engine(c));
        fax_free(c->fax);
        c->fax = NULL;
    }
    c->off_hook = false;
    exchange_hang_up(c->modem);
}

void call_send_document(struct class2 *c)
{
    c->wants_connect = true;
    if (c->block_wanted) {
        want_block(c);
        return;
    }
    if (c->held_length > 0) {
        char path[600];
        path_of(c, "sends", path, sizeof path);
        write_pages(path, c->own.vr, c->own.ec > 0);
        set_engine(c);
    }
    release_held(c);
}

void call_receive_document(struct class2 *c)
{
    c->wants_connect = true;
    c->bits = c->bit_count = 0;
    c->flowing = false;
    c->pending_length = 0;
    if (c->held_length > 0 && c->post_answer == 2) engine(c)->t4.rx.t4_t6_rx.bad_rows = engine(c)->t4.rx.image_length;
    release_held(c);
}

void call_post_page(struct class2 *c, int post)
{
    c->post = post;
}

void call_start_flow(struct class2 *c)
{
    c->mode = COMMANDS;
    c->flowing = true;
    hand_over(c);
}

void call_cancel(struct class2 *c)
{
    c->flowing = true;
    c->hang_up_code = 2;
    finish(c);
}

void call_data_from_dte(struct class2 *c, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = data[i];
        if (!c->after_dle && byte == DLE) {
            c->after_dle = true;
            continue;
        }
        if (c->after_dle && byte != DLE) {
            c->after_dle = false;
            int post = !c->v20 ? -1 : byte == 0x2c ? 0 : byte == 0x3b ? 1 : byte == 0x2e ? 2 : -1;
            if (byte != ETX && post < 0) continue;
            c->page_ended = true;
            c->post = post;
            c->mode = COMMANDS;
            if (!c->v20 || byte == ETX) say(c, "OK");
            return;
        }
        c->after_dle = false;
        if (c->page_length < PAGE_BUFFER) c->page[c->page_length++] = byte;
        if (!c->held_up && c->page_length > xon_below(c) + 2048) {
            c->held_up = true;
            put(c, XOFF);
        }
    }
}

static void connect_when_due(struct class2 *c)
{
    if (!c->wants_connect) return;
    int state = engine(c)->state;
    if (c->calling ? state != SENDS_PAGE : state != RECEIVES_PAGE && state != RECEIVES_FRAMES) return;
    c->wants_connect = false;
    struct capabilities session = of_session(c);
    if (!c->calling && !c->v20 && c->fcfr) say(c, "+FCFR");
    if (c->calling || c->fcfr) say_capabilities(c, c->v20 ? "+FCS" : "+FDCS", &session);
    c->fcfr = false;
    if (c->calling) {
        start_page_data(c);
        return;
    }
    say(c, "CONNECT");
    c->mode = WAITS_FOR_DC2;
    c->receiving = true;
}

int call_tx(struct modem *modem, int16_t *audio, int length)
{
    struct class2 *c = modem->state;
    if (!c->fax || c->frozen) return 0;
    tap(c);
    return fax_tx(c->fax, audio, length);
}

void call_rx(struct modem *modem, int16_t *audio, int length)
{
    struct class2 *c = modem->state;
    if (!c->fax) return;
    send_block_when_due(c);
    if (c->frozen) return;
    tap(c);
    fax_rx(c->fax, audio, length);
    if (c->flowing) hand_over(c);
    if (c->hang_up_code >= 0) {
        finish(c);
        return;
    }
    connect_when_due(c);
}

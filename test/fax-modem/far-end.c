/*
 * The far end of a call: SpanDSP's T.30 terminal, somebody who talks, or nobody at all.
 *
 * What becomes of each page and of the call is reported; what its frames mean for the harness (a page begins, a training
 * is to be spoilt, a page is to be refused) is found by watching them, FCF values as in T.30, table 2.
 */
#include "modem.h"
#include <math.h>
#include <string.h>

static fax_state_t *fax;
static enum far_kind kind;
static bool active, reported;
static int call_number;
static char received[512];
static struct {
    int page;
    bool more;
} watch;
static int spoilt, refused;

static const char *coding_name(int coding)
{
    switch (coding) {
    case T4_COMPRESSION_ITU_T4_1D: return "MH";
    case T4_COMPRESSION_ITU_T4_2D: return "MR";
    case T4_COMPRESSION_ITU_T6: return "MMR";
    default: return "";
    }
}

static void report_statistics(t30_state_t *t30)
{
    t30_stats_t stats;
    t30_get_transfer_statistics(t30, &stats);
    report_number("sent", stats.pages_tx);
    report_number("received", stats.pages_rx);
    report_number("rate", stats.bit_rate);
    report_flag("ecm", stats.error_correcting_mode);
    report_text("coding", coding_name(stats.encoding));
    report_number("rows", stats.length);
    report_number("badRows", stats.bad_rows);
}

static int on_page(t30_state_t *t30, void *user, int result)
{
    (void) user;
    report_begin("page");
    report_number("call", call_number);
    report_text("answer", t30_frametype((uint8_t) result));
    report_statistics(t30);
    report_end();
    return T30_ERR_OK;
}

static void on_end(t30_state_t *t30, void *user, int code)
{
    (void) user;
    if (reported) return;
    reported = true;
    report_begin("far-end");
    report_number("call", call_number);
    report_flag("ok", code == T30_ERR_OK);
    report_text("text", t30_completion_code_to_str(code));
    report_statistics(t30);
    report_text("station", t30_get_rx_ident(t30));
    report_text("file", received);
    report_number("seconds", exchange_call_seconds());
    report_end();
}

static void on_frame(t30_state_t *t30, void *user, int incoming, const uint8_t message[], int length)
{
    (void) user;
    if (length < 3) return;
    uint8_t fcf = message[2] & 0xFE;
    if (options.frames) {
        report_begin("frame");
        report_text("direction", incoming ? "in" : "out");
        report_text("type", t30_frametype(message[2]));
        report_number("length", length);
        report_end();
    }
    uint8_t post = fcf == T30_PPS && length > 3 ? message[3] & 0xFE : fcf;
    if (post == T30_MPS || post == T30_EOM || post == T30_EOP) watch.more = true;
    switch (fcf) {
    case T30_DCS:
        if (spoilt < options.spoil_training) {
            spoilt++;
            /* Bit 14 stands for V.17 (T.30, table 2). */
            exchange_spoil(incoming ? 0 : 1, length > 4 && message[4] & 0x20);
        }
        break;
    case T30_CFR:
        exchange_page_begins(watch.page);
        break;
    case T30_MCF:
        if (watch.more) exchange_page_begins(++watch.page);
        watch.more = false;
        break;
    case T30_MPS:
    case T30_EOP:
    case T30_EOM:
        /* The engine's own judgement of the copy is what answers: a page of nothing but bad rows is refused. */
        if (incoming && refused < options.refuse_pages) {
            refused++;
            t30->t4.rx.t4_t6_rx.bad_rows = t30->t4.rx.image_length;
        }
        break;
    default:
        break;
    }
}

void watch_frames(t30_state_t *t30)
{
    memset(&watch, 0, sizeof watch);
    t30_set_real_time_frame_handler(t30, on_frame, NULL);
}

void far_end_start(enum far_kind what, bool calling, const char *file, int call)
{
    far_end_stop();
    kind = what;
    active = true;
    reported = false;
    call_number = call;
    received[0] = 0;
    spoilt = refused = 0;
    if (kind != FAR_FAX) return;
    fax = fax_init(NULL, calling);
    fax_set_transmit_on_idle(fax, 1);
    t30_state_t *t30 = fax_get_t30_state(fax);
    t30_set_tx_ident(t30, options.station);
    t30_set_ecm_capability(t30, options.ecm);
    t30_set_supported_modems(t30, options.modems);
    t30_set_supported_compressions(t30, options.codings);
    t30_set_supported_resolutions(t30, T30_SUPPORT_STANDARD_RESOLUTION | T30_SUPPORT_R8_RESOLUTION
                                           | (options.coarse ? 0 : T30_SUPPORT_FINE_RESOLUTION
                                                                   | T30_SUPPORT_SUPERFINE_RESOLUTION
                                                                   | T30_SUPPORT_R16_RESOLUTION));
    t30_set_minimum_scan_line_time(t30, options.row_time);
    t30_set_supported_image_sizes(t30, T30_SUPPORT_215MM_WIDTH | T30_SUPPORT_255MM_WIDTH | T30_SUPPORT_303MM_WIDTH
                                           | T30_SUPPORT_A4_LENGTH | T30_SUPPORT_B4_LENGTH
                                           | T30_SUPPORT_US_LETTER_LENGTH | T30_SUPPORT_US_LEGAL_LENGTH
                                           | T30_SUPPORT_UNLIMITED_LENGTH);
    if (file)
        t30_set_tx_file(t30, file, -1, -1);
    else {
        snprintf(received, sizeof received, "%s/call-%d.tif", options.directory, call);
        t30_set_rx_file(t30, received, -1);
        t30_set_rx_encoding(t30, T4_COMPRESSION_ITU_T6);
    }
    t30_set_phase_d_handler(t30, on_page, NULL);
    t30_set_phase_e_handler(t30, on_end, NULL);
    watch_frames(t30);
}

/* Somebody says the same few words again and again: two formants, broken into syllables. */
static int speak(int16_t *audio, int length)
{
    static int64_t at;
    for (int i = 0; i < length; i++, at++) {
        double t = at / 8000.0;
        double syllable = fmax(0, sin(t * 2 * M_PI * 2.3)) * (fmod(t, 4.0) < 2.6);
        audio[i] = (int16_t) (2500 * syllable * (sin(t * 2 * M_PI * 180) + 0.6 * sin(t * 2 * M_PI * 640)
                                                 + 0.3 * sin(t * 2 * M_PI * (1300 + 200 * sin(t * 3)))));
    }
    return length;
}

int far_end_tx(int16_t *audio, int length)
{
    if (!active || kind == FAR_SILENCE) return 0;
    if (kind == FAR_VOICE) return speak(audio, length);
    return fax_tx(fax, audio, length);
}

void far_end_rx(int16_t *audio, int length)
{
    if (active && kind == FAR_FAX) fax_rx(fax, audio, length);
}

void far_end_stop(void)
{
    if (!active) return;
    active = false;
    if (kind != FAR_FAX) return;
    t30_terminate(fax_get_t30_state(fax));
    fax_free(fax);
    fax = NULL;
}

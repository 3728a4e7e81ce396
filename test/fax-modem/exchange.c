/*
 * The telephone exchange: who is called, what the caller hears, and when the line is cut.
 *
 * With one modem its calls go to the far end, and the far end calls it when it is told to ring. With two, each calls the
 * other. `outcomes` says what becomes of the first call, the second and so on; the last one counts from then on.
 */
#include "modem.h"
#include <stdlib.h>
#include <string.h>

enum phase { IDLE, DIALLING, RINGING, CONNECTED };

static struct modem *modems;
static int modem_count;
static enum phase phase;
static struct modem *caller, *called;
static const char *outcome = "answer";
static int calls;
static int64_t due, connected_at, cut_at;
static char ring_caller[40], ring_file[512];
static bool far_calls, cut;
static int rings;

static struct modem *other(struct modem *modem)
{
    return modem_count == 2 ? &modems[1 - modem->index] : NULL;
}

void exchange_open(struct modem *list, int count)
{
    modems = list;
    modem_count = count;
}

bool exchange_busy(void)
{
    return phase != IDLE;
}

double exchange_call_seconds(void)
{
    return phase == CONNECTED ? (now_samples - connected_at) / 8000.0 : 0;
}

static void connect_line(void)
{
    phase = CONNECTED;
    connected_at = now_samples;
    cut = false;
    cut_at = options.drop_after > 0 ? now_samples + SAMPLES(options.drop_after) : 0;
    line_reset();
    /* How long a program takes to answer counts within calls only. */
    for (int i = 0; i < modem_count; i++) {
        modems[i].dte.wait_count = 0;
        modems[i].dte.longest_after_data = 0;
    }
    report_begin("connected");
    report_number("call", calls);
    report_end();
}

void exchange_dial(struct modem *modem, const char *number)
{
    if (phase != IDLE) return;
    outcome = options.outcomes[calls < options.outcome_count ? calls : options.outcome_count - 1];
    calls++;
    phase = DIALLING;
    caller = modem;
    far_calls = false;
    due = now_samples + SAMPLES(options.answer_after);
    report_begin("dialled");
    report_number("call", calls);
    report_text("number", number);
    report_text("outcome", outcome);
    report_end();
}

void exchange_ring(const char *from, const char *file)
{
    if (phase != IDLE) return;
    calls++;
    snprintf(ring_caller, sizeof ring_caller, "%s", from ? from : "");
    snprintf(ring_file, sizeof ring_file, "%s", file ? file : options.send ? options.send : "");
    phase = RINGING;
    called = &modems[0];
    far_calls = true;
    rings = 0;
    due = now_samples;
}

void exchange_answer(struct modem *modem)
{
    if (phase != RINGING || modem != called) return;
    connect_line();
    if (far_calls) {
        outcome = "answer";
        bool fax = ring_file[0] != 0;
        far_end_start(fax ? FAR_FAX : FAR_VOICE, true, fax ? ring_file : NULL, calls);
    } else {
        caller->event(caller, CALL_CONNECTED, NULL);
    }
    modem->event(modem, CALL_ANSWERED, NULL);
}

void exchange_hang_up(struct modem *modem)
{
    if (phase == IDLE || (phase == RINGING && modem == called)) return;
    if (phase == CONNECTED) {
        double seconds = exchange_call_seconds();
        far_end_stop();
        report_begin("hung-up");
        report_number("call", calls);
        report_text("by", modem->dte.name);
        report_number("seconds", seconds);
        dte_report_waits(&modem->dte);
        report_end();
    }
    phase = IDLE;
}

void exchange_drop(void)
{
    if (phase != CONNECTED || cut) return;
    cut = true;
    /* The other end of a cut line hears nothing any more either, and gives up by itself. */
    report_begin("dropped");
    report_number("call", calls);
    report_number("seconds", exchange_call_seconds());
    report_end();
}

void exchange_page_begins(int page)
{
    if (options.drop_in_page == page && options.drop_in_page_after > 0 && cut_at == 0)
        cut_at = now_samples + SAMPLES(options.drop_in_page_after);
}

void exchange_spoil(int way, bool long_training)
{
    /* From a DCS on: 75 ms of silence, training (V.17 1.4 s, V.29 0.25 s, V.27ter 0.7 s or 0.9 s), 1.5 s of zeros, of which
       one second in a row must be right (T.30, 5.3.6.1.3). */
    double now = exchange_call_seconds();
    line_burst((struct burst) {now + (long_training ? 1.9 : 0.9), 0.6, -8.0f, way});
}

static void dial_due(void)
{
    if (strcmp(outcome, "busy") == 0 || strcmp(outcome, "no-dial-tone") == 0 || strcmp(outcome, "no-answer") == 0) {
        phase = IDLE;
        caller->event(caller, strcmp(outcome, "busy") == 0         ? CALL_BUSY
                              : strcmp(outcome, "no-answer") == 0 ? CALL_NO_ANSWER
                                                                  : CALL_NO_DIAL_TONE, NULL);
        return;
    }
    if (modem_count == 2) {
        phase = RINGING;
        called = other(caller);
        rings = 0;
        due = now_samples;
        return;
    }
    connect_line();
    far_end_start(strcmp(outcome, "voice") == 0     ? FAR_VOICE
                  : strcmp(outcome, "silence") == 0 ? FAR_SILENCE
                                                    : FAR_FAX, false, options.send, calls);
    caller->event(caller, CALL_CONNECTED, NULL);
}

static void ring_due(void)
{
    if (++rings > 12) {
        phase = IDLE;
        if (far_calls) {
            report_begin("not-answered");
            report_number("call", calls);
            report_end();
        } else {
            caller->event(caller, CALL_NO_ANSWER, NULL);
        }
        return;
    }
    due = now_samples + SAMPLES(options.ring_every);
    called->event(called, CALL_RING, far_calls ? ring_caller : NULL);
}

static void silence_rest(int16_t *audio, int length)
{
    memset(audio + length, 0, (TICK - length) * sizeof *audio);
}

void exchange_tick(void)
{
    int16_t there[TICK], back[TICK];
    now_samples += TICK;
    if (phase == DIALLING && now_samples >= due) dial_due();
    if (phase == RINGING && now_samples >= due) ring_due();
    if (phase != CONNECTED) {
        memset(there, 0, sizeof there);
        for (int i = 0; i < modem_count; i++) {
            int16_t unheard[TICK];
            modems[i].tx(&modems[i], unheard, TICK);
            modems[i].rx(&modems[i], there, TICK);
        }
        return;
    }
    if (cut_at > 0 && now_samples >= cut_at) exchange_drop();
    double at = exchange_call_seconds();
    silence_rest(there, modems[0].tx(&modems[0], there, TICK));
    silence_rest(back, modem_count == 2 ? modems[1].tx(&modems[1], back, TICK) : far_end_tx(back, TICK));
    line_carry(0, there, at, cut);
    line_carry(1, back, at, cut);
    if (modem_count == 2)
        modems[1].rx(&modems[1], there, TICK);
    else
        far_end_rx(there, TICK);
    modems[0].rx(&modems[0], back, TICK);
}

/* A Class 1 modem: SpanDSP's, ITU-T T.31 on the pty. */
#include "modem.h"

static int to_dte(at_state_t *at, void *user, const uint8_t *data, size_t length)
{
    (void) at;
    dte_put(&((struct modem *) user)->dte, data, length);
    return 0;
}

static int control(t31_state_t *t31, void *user, int operation, const char *number)
{
    (void) t31;
    struct modem *modem = user;
    switch (operation) {
    case AT_MODEM_CONTROL_CALL:
        exchange_dial(modem, number);
        break;
    case AT_MODEM_CONTROL_ANSWER:
        exchange_answer(modem);
        break;
    case AT_MODEM_CONTROL_HANGUP:
    case AT_MODEM_CONTROL_ONHOOK:
        exchange_hang_up(modem);
        break;
    case AT_MODEM_CONTROL_CTS:
        dte_put(&modem->dte, (const uint8_t[]) {number ? 0x11 : 0x13}, 1);
        break;
    default:
        break;
    }
    return 0;
}

static void from_dte(struct modem *modem, const uint8_t *data, size_t length)
{
    t31_state_t *t31 = modem->state;
    if (t31->at_state.at_rx_mode == AT_MODE_STUFFED) modem->dte.data_sent = true;
    t31_at_rx(t31, (const char *) data, (int) length);
}

static void event(struct modem *modem, enum call_event event, const char *caller)
{
    static const int codes[] = {
        [CALL_RING] = AT_CALL_EVENT_ALERTING,       [CALL_ANSWERED] = AT_CALL_EVENT_ANSWERED,
        [CALL_CONNECTED] = AT_CALL_EVENT_CONNECTED, [CALL_BUSY] = AT_CALL_EVENT_BUSY,
        [CALL_NO_ANSWER] = AT_CALL_EVENT_NO_ANSWER, [CALL_NO_DIAL_TONE] = AT_CALL_EVENT_NO_DIALTONE,
    };
    t31_state_t *t31 = modem->state;
    static int64_t last_ring;
    if (event == CALL_RING) {
        /* The engine tells a caller once until it is on hook; a call that nobody answered was never off it. */
        if (now_samples - last_ring > SAMPLES(8)) t31->at_state.call_info_displayed = 0;
        last_ring = now_samples;
    }
    if (event == CALL_RING && caller && caller[0] && !t31->at_state.call_info_displayed) {
        at_reset_call_info(&t31->at_state);
        at_set_call_info(&t31->at_state, "NMBR", caller);
    }
    t31_call_event(t31, codes[event]);
}

static int tx(struct modem *modem, int16_t *audio, int length)
{
    return t31_tx(modem->state, audio, length);
}

static void rx(struct modem *modem, int16_t *audio, int length)
{
    t31_rx(modem->state, audio, length);
}

static bool waits(struct modem *modem)
{
    t31_state_t *t31 = modem->state;
    if (t31->at_state.at_rx_mode == AT_MODE_STUFFED)
        return !t31->tx.final && !t31->tx.holding && t31->tx.in_bytes - t31->tx.out_bytes < T31_TX_BUF_LOW_TIDE;
    return modem->dte.owes && t31->at_state.at_rx_mode != AT_MODE_DELIVERY;
}

static bool holds(struct modem *modem)
{
    return ((t31_state_t *) modem->state)->tx.holding;
}

void class1_open(struct modem *modem)
{
    modem->from_dte = from_dte;
    modem->event = event;
    modem->tx = tx;
    modem->rx = rx;
    modem->waits = waits;
    modem->holds = holds;
    modem->state = t31_init(NULL, to_dte, modem, control, modem, NULL, NULL);
    t31_set_transmit_on_idle(modem->state, 1);
}

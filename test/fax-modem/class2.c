/*
 * The commands of a Class 2 modem (EIA PN-2388, as Rockwell's and its heirs have it) and of a Class 2.0 one (ITU-T T.32).
 * The other side for drivers: strict where a modem is strict, ERROR to what it does not know.
 */
#include "class2.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void say(struct class2 *c, const char *format, ...)
{
    char text[200];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (!c->quiet) dte_say(&c->modem->dte, text);
}

void say_capabilities(struct class2 *c, const char *name, const struct capabilities *p)
{
    say(c, c->v20 ? "%s:%d,%d,%d,%d,%d,%d,%d,%d" : "%s: %d,%d,%d,%d,%d,%d,%d,%d", name, p->vr, p->br, p->wd, p->ln,
        p->df, p->ec, p->bf, p->st);
}

static void read_capabilities(struct capabilities *caps, const char *text)
{
    int *fields[] = {&caps->vr, &caps->br, &caps->wd, &caps->ln, &caps->df, &caps->ec, &caps->bf, &caps->st};
    for (int i = 0; i < 8 && *text; i++) {
        if (isxdigit((unsigned char) *text)) *fields[i] = (int) strtol(text, NULL, 16);
        while (*text && *text != ',') text++;
        if (*text == ',') text++;
    }
}

enum answer { DONE, WRONG, LATER };

struct command {
    const char *name;          /* of Class 2.0 */
    const char *name2;         /* of Class 2 */
    const char *range;         /* to =? */
    enum answer (*set)(struct class2 *c, const char *value);
    void (*ask)(struct class2 *c);
};

static enum answer set_class(struct class2 *c, const char *value)
{
    const char *own = c->v20 ? "2.0" : "2";
    if (strcmp(value, "0") == 0)
        c->fclass = 0;
    else if (strcmp(value, own) == 0)
        c->fclass = 2;
    else
        return WRONG;
    return DONE;
}

static void ask_class(struct class2 *c)
{
    say(c, "%s", c->fclass == 0 ? "0" : c->v20 ? "2.0" : "2");
}

static enum answer set_capabilities(struct class2 *c, const char *value)
{
    read_capabilities(&c->own, value);
    const struct capabilities *own = &c->own;
    bool coding = own->df == 0 || own->df == 1 || own->df == 3;
    /* T.32, table 21 counts 1 for error correction; PN-2388 counts 2 for frames of 256 octets. */
    bool correction = own->ec == 0 || own->ec == (c->v20 ? 1 : 2);
    return own->br > 5 || own->vr > 1 || !coding || !correction ? WRONG : DONE;
}

static void ask_capabilities(struct class2 *c)
{
    const struct capabilities *p = &c->own;
    say(c, "%d,%d,%d,%d,%d,%d,%d,%d", p->vr, p->br, p->wd, p->ln, p->df, p->ec, p->bf, p->st);
}

static enum answer set_ident(struct class2 *c, const char *value)
{
    size_t length = strlen(value);
    if (length < 2 || value[0] != '"' || value[length - 1] != '"' || length > 22) return WRONG;
    snprintf(c->ident, sizeof c->ident, "%.*s", (int) length - 2, value + 1);
    return DONE;
}

static enum answer set_order(struct class2 *c, const char *value)
{
    c->direct_order = atoi(value) == (c->v20 ? 0 : 1);
    return DONE;
}

static enum answer set_receive(struct class2 *c, const char *value)
{
    c->can_receive = atoi(value) != 0;
    return DONE;
}

static enum answer accept(struct class2 *c, const char *value)
{
    (void) c;
    (void) value;
    return DONE;
}

static enum answer send_document(struct class2 *c, const char *value)
{
    if (!c->off_hook || !c->calling) return WRONG;
    if (*value) read_capabilities(&c->own, value);
    call_send_document(c);
    return LATER;
}

static enum answer receive_document(struct class2 *c, const char *value)
{
    (void) value;
    if (!c->off_hook || c->calling) return WRONG;
    call_receive_document(c);
    return LATER;
}

static enum answer end_of_page(struct class2 *c, const char *value)
{
    int post = atoi(value);
    if (!c->off_hook || c->v20 || post < 0 || post > 2) return WRONG;
    call_post_page(c, post);
    return LATER;
}

static enum answer set_page_status(struct class2 *c, const char *value)
{
    c->post_answer = atoi(value);
    return c->post_answer < 1 || c->post_answer > 3 ? WRONG : DONE;
}

static void ask_page_status(struct class2 *c)
{
    say(c, "%d", c->post_answer);
}

static enum answer hang_up(struct class2 *c, const char *value)
{
    (void) value;
    call_end(c);
    return DONE;
}

static enum answer set_caller_id(struct class2 *c, const char *value)
{
    c->caller_id = atoi(value) != 0;
    return DONE;
}

static const struct command commands[] = {
    {"+FCLASS", "+FCLASS", "0,2", set_class, ask_class},
    {"+FCC", "", "(0,1),(0-5),(0),(0-2),(0,1,3),(0,1),(0),(0)", set_capabilities, ask_capabilities},
    {"", "+FDCC", "(0,1),(0-5),(0),(0-2),(0,1,3),(0,2),(0),(0)", set_capabilities, ask_capabilities},
    {"+FIS", "", "(0,1),(0-5),(0),(0-2),(0,1,3),(0,1),(0),(0)", set_capabilities, ask_capabilities},
    {"", "+FDIS", "(0,1),(0-5),(0),(0-2),(0,1,3),(0,2),(0),(0)", set_capabilities, ask_capabilities},
    {"+FLI", "+FLID", "(20)", set_ident, NULL},
    {"+FPI", "+FCIG", "(20)", accept, NULL},
    {"+FBO", "+FBOR", "(0,1)", set_order, NULL},
    {"+FCR", "+FCR", "(0,1)", set_receive, NULL},
    {"+FPS", "+FPTS", "(1-3)", set_page_status, ask_page_status},
    {"+FDT", "+FDT", NULL, send_document, NULL},
    {"+FDR", "+FDR", NULL, receive_document, NULL},
    {"", "+FET", NULL, end_of_page, NULL},
    {"+FKS", "+FK", NULL, hang_up, NULL},
    {"+FNR", "+FNR", "(0,1),(0,1),(0,1),(0,1)", accept, NULL},
    {"+FIE", "", "(0,1)", accept, NULL},
    {"+FCQ", "+FCQ", "(0,1),(0)", accept, NULL},
    {"+FAA", "+FAA", "(0,1)", accept, NULL},
    {"+FLO", "", "(0-2)", accept, NULL},
    {"+FPP", "", "(0,1)", accept, NULL},
    {"+FCT", "+FPHCTO", "(0-255)", accept, NULL},
    {"+FEA", "+FREL", "(0,1)", accept, NULL},
    {"+FRQ", "", "(0-100),(0-255)", accept, NULL},
    {"+VCID", "+VCID", "(0,1)", set_caller_id, NULL},
};

static enum answer identity(struct class2 *c, const char *name)
{
    static const char *const texts[][3] = {{"+FMI?", "+FMFR?", "SOFT MODEM"},
                                           {"+FMM?", "+FMDL?", "SPANDSP"},
                                           {"+FMR?", "+FREV?", "1"},
                                           {"+GMI", "+GMI", "SOFT MODEM"},
                                           {"+GMM", "+GMM", "SPANDSP"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(name, texts[i][c->v20 ? 0 : 1]) == 0) {
            say(c, "%s", texts[i][2]);
            return DONE;
        }
    }
    return WRONG;
}

/* One command that begins with +, without what follows a semicolon. */
static enum answer extended(struct class2 *c, char *text)
{
    char *end = text + strcspn(text, "=?");
    char sign = *end;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *command = &commands[i];
        const char *name = c->v20 ? command->name : command->name2;
        if (strlen(name) != (size_t) (end - text) || strncmp(name, text, strlen(name)) != 0) continue;
        bool everywhere = command->set == set_class || command->set == set_caller_id;
        if (!everywhere && c->fclass == 0) return WRONG;
        if (strcmp(end, "=?") == 0) {
            if (!command->range) return WRONG;
            say(c, "%s", command->set == set_class && c->v20 ? "0,2.0" : command->range);
            return DONE;
        }
        if (sign == '?') {
            if (!command->ask) return WRONG;
            command->ask(c);
            return DONE;
        }
        return command->set(c, sign == '=' ? end + 1 : "");
    }
    return identity(c, text);
}

static enum answer dial(struct class2 *c, const char *number)
{
    if (c->fclass == 0) return WRONG;
    while (*number == 'T' || *number == 'P' || *number == ' ') number++;
    c->dial_waits = true;
    exchange_dial(c->modem, number);
    return LATER;
}

/* The rest of a line after AT, or what is left of it. */
static enum answer run(struct class2 *c, char *text)
{
    while (*text) {
        char letter = (char) toupper((unsigned char) *text);
        if (letter == ' ' || letter == ';') {
            text++;
            continue;
        }
        if (letter == '+') {
            bool quoted = false;
            char *end = text;
            for (; *end && (quoted || *end != ';'); end++) quoted ^= *end == '"';
            bool more = *end == ';';
            *end = 0;
            for (char *at = text; *at && *at != '='; at++) *at = (char) toupper((unsigned char) *at);
            enum answer answer = extended(c, text);
            if (answer != DONE || !more) return answer;
            text = end + 1;
            continue;
        }
        if (letter == 'D') return dial(c, text + 1);
        if (letter == 'A') {
            exchange_answer(c->modem);
            return LATER;
        }
        text++;
        if (letter == '&' || letter == '\\' || letter == '%') letter = *text ? *text++ : ' ';
        else if (letter == 'E') c->echo = atoi(text) != 0;
        else if (letter == 'Q') c->quiet = atoi(text) != 0;
        else if (letter == 'I') say(c, "SOFT MODEM");
        else if (letter == 'H' || letter == 'Z') call_end(c);
        if (letter == 'Z') {
            c->fclass = 0;
            c->quiet = false;
        }
        while (isdigit((unsigned char) *text) || *text == '=' || *text == '?') text++;
    }
    return DONE;
}

static void command_line(struct class2 *c)
{
    char *text = c->line;
    while (*text == ' ') text++;
    if (toupper((unsigned char) text[0]) != 'A' || toupper((unsigned char) text[1]) != 'T') return;
    enum answer answer = run(c, text + 2);
    if (answer == DONE) say(c, "OK");
    if (answer == WRONG) say(c, "ERROR");
}

static void command_byte(struct class2 *c, uint8_t byte)
{
    if (c->dial_waits) {
        /* Any byte ends ATD. */
        call_end(c);
        say(c, "NO CARRIER");
        return;
    }
    if (c->echo) dte_put(&c->modem->dte, &byte, 1);
    if (byte == '\r') {
        c->line[c->line_length] = 0;
        c->line_length = 0;
        command_line(c);
    } else if (byte >= 0x20 && c->line_length < (int) sizeof c->line - 1) {
        c->line[c->line_length++] = (char) byte;
    }
}

static void from_dte(struct modem *modem, const uint8_t *data, size_t length)
{
    struct class2 *c = modem->state;
    for (size_t i = 0; i < length; i++) {
        if (c->mode == PAGE_DATA)
            call_data_from_dte(c, data + i, 1);
        else if (c->mode == WAITS_FOR_DC2 && (data[i] == 0x12 || data[i] == 0x11))
            call_start_flow(c);
        else if (c->receiving) {
            /* From +FDR to the end of the data a modem takes no commands; CAN is answered as +FK would be. */
            if (data[i] == 0x18) call_cancel(c);
        } else
            command_byte(c, data[i]);
    }
}

static void event(struct modem *modem, enum call_event event, const char *caller)
{
    struct class2 *c = modem->state;
    switch (event) {
    case CALL_RING:
        if (caller && caller[0] && c->caller_id) say(c, "NMBR = %s", caller);
        say(c, "RING");
        return;
    case CALL_ANSWERED:
    case CALL_CONNECTED:
        call_begin(c, event == CALL_CONNECTED);
        return;
    default:
        c->dial_waits = false;
        say(c, "%s", event == CALL_BUSY ? "BUSY" : event == CALL_NO_ANSWER ? "NO ANSWER" : "NO DIALTONE");
    }
}

static bool waits(struct modem *modem)
{
    struct class2 *c = modem->state;
    if (c->mode == PAGE_DATA) return call_wants_data(c);
    /* A program may throw away what comes while it gets ready for text again after the end of page data. */
    return modem->dte.owes || now_samples < c->settled_at;
}

static bool holds(struct modem *modem)
{
    return ((struct class2 *) modem->state)->held_up;
}

void class2_open(struct modem *modem)
{
    struct class2 *c = calloc(1, sizeof *c);
    if (!c) exit(2);
    c->modem = modem;
    c->v20 = strcmp(options.class, "2.0") == 0;
    c->echo = true;
    c->own = (struct capabilities) {1, 5, 0, 2, 0, 0, 0, 0};
    modem->state = c;
    modem->from_dte = from_dte;
    modem->event = event;
    modem->tx = call_tx;
    modem->rx = call_rx;
    modem->waits = waits;
    modem->holds = holds;
}

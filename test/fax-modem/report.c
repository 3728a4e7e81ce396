/* What the soft modem says: one JSON object a line on standard output, flushed at once. */
#define _GNU_SOURCE
#include "modem.h"
#include <time.h>

static bool first;

double real_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void key(const char *name)
{
    printf("%s\"%s\":", first ? "" : ",", name);
    first = false;
}

void report_text(const char *name, const char *value)
{
    key(name);
    putchar('"');
    for (const char *at = value ? value : ""; *at; at++) {
        if ((unsigned char) *at < 0x20 || *at == '"' || *at == '\\')
            printf("\\u%04x", (unsigned char) *at);
        else
            putchar(*at);
    }
    putchar('"');
}

void report_number(const char *name, double value)
{
    key(name);
    printf("%.6g", value);
}

void report_flag(const char *name, bool value)
{
    key(name);
    fputs(value ? "true" : "false", stdout);
}

void report_begin(const char *event)
{
    putchar('{');
    first = true;
    report_text("event", event);
    report_number("at", now_samples / 8000.0);
}

void report_end(void)
{
    puts("}");
    fflush(stdout);
}

/*
 * The telephone line between two stations: a delay, a steady noise, bursts of noise, silence once it is cut.
 * Direction 0 goes from the first station to the second, 1 back.
 */
#include "modem.h"
#include <string.h>

#define LONGEST 4000

static struct {
    int16_t delayed[LONGEST];
    int at;
    awgn_state_t noise;
} ways[2];
static struct burst extra[LIST];
static int extra_count;

void line_reset(void)
{
    memset(ways, 0, sizeof ways);
    for (int i = 0; i < 2; i++) awgn_init_dbm0(&ways[i].noise, options.seed + i, options.noise ? options.noise : -20.0f);
    extra_count = 0;
}

void line_burst(struct burst burst)
{
    extra[extra_count++ % LIST] = burst;
}

static void add(int way, int16_t *audio, float level)
{
    /* The generator is told its level once; other levels are that one made louder or softer. */
    static const float reference = -20.0f;
    float factor = __builtin_powf(10.0f, (level - (options.noise ? options.noise : reference)) / 20.0f);
    for (int i = 0; i < TICK; i++) audio[i] = saturate(audio[i] + (int) (awgn(&ways[way].noise) * factor));
}

static void bursts(int way, int16_t *audio, double at, const struct burst *list, int count)
{
    for (int i = 0; i < count; i++)
        if ((list[i].way < 0 || list[i].way == way) && at >= list[i].at && at < list[i].at + list[i].length)
            add(way, audio, list[i].level);
}

void line_carry(int way, int16_t *audio, double at, bool cut)
{
    if (cut) memset(audio, 0, TICK * sizeof *audio);
    int delay = SAMPLES(options.line_delay);
    if (delay > LONGEST) delay = LONGEST;
    for (int i = 0; delay > 0 && i < TICK; i++) {
        int16_t late = ways[way].delayed[ways[way].at];
        ways[way].delayed[ways[way].at] = audio[i];
        ways[way].at = (ways[way].at + 1) % delay;
        audio[i] = late;
    }
    for (int i = 0; i < options.burst_count; i++)
        if (options.bursts[i].level <= SILENT && at >= options.bursts[i].at
            && at < options.bursts[i].at + options.bursts[i].length)
            memset(audio, 0, TICK * sizeof *audio);
    if (cut) return;
    if (options.noise) add(way, audio, options.noise);
    bursts(way, audio, at, options.bursts, options.burst_count);
    bursts(way, audio, at, extra, extra_count < LIST ? extra_count : LIST);
}

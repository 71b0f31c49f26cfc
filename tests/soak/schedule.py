"""When the synthetic face blinks: blink-vision/src/schedule.rs once more. A truth file shows whether they agree."""
import datetime

EPOCH = "2026-01-01T00:00:00Z"
EPOCH_S = datetime.datetime.fromisoformat(EPOCH.replace("Z", "+00:00")).timestamp()
# Closing, closed and opening.
LASTS_S = 0.080 + 0.050 + 0.150
QUIET_S = 2.0
# The measured end of a blink may differ from the schedule's by some frames.
SLACK_S = 0.3
MASK = (1 << 64) - 1


def split_mix(seed, k):
    z = (seed + (k + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def unit(seed, k):
    return (split_mix(seed, k) >> 11) / (1 << 52) - 1


def end_of(bpm, seed, n):
    """When blink number `n` ends, in seconds after the epoch."""
    interval = 60 / bpm
    shift = 0.1 * interval * unit(seed, 2 * n) if n else 0
    return max(interval / 2, QUIET_S) + interval * n + shift + LASTS_S


def most_in(bpm, seed, minute):
    """The most blinks that can be counted in a minute (since 1970). A blink belongs to the minute of its end."""
    first, last = 60 * minute - EPOCH_S - SLACK_S, 60 * minute + 60 - EPOCH_S + SLACK_S
    n = max(int(first * bpm / 60) - 3, 0)
    ends = []
    while (end := end_of(bpm, seed, n)) <= last + 60 / bpm:
        ends.append(end)
        n += 1
    return sum(first <= end <= last for end in ends)


def agrees(truth):
    """Whether the truth file of a clip has its blinks where this has them."""
    ends = [end_of(truth["bpm"], truth["seed"], n) for n in range(len(truth["blinks"]))]
    return all(abs(end - blink["end_s"]) < 1e-6 for end, blink in zip(ends, truth["blinks"]))

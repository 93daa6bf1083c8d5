#include "samples.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_NUMBERS = 8,
    SAMPLE_NUMBERS = 4,
    /* A larger picture is a sign of a damaged file, not of a self-test. */
    MOST_BYTES = 1 << 28
};

static const uint32_t UNKNOWN = UINT32_MAX; /* -1 */

static uint32_t little_endian(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static float as_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool take(samples *from, void *to, size_t size) {
    return fread(to, 1, size, from->file) == size;
}

static bool take_numbers(samples *from, uint32_t *to, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[4];
        if (!take(from, bytes, sizeof bytes)) {
            return false;
        }
        to[i] = little_endian(bytes);
    }
    return true;
}

static bool take_pixels(samples *from, uint8_t *to, size_t size) {
    uint8_t padding[4];
    return take(from, to, size) && take(from, padding, (4 - size % 4) % 4);
}

static bool take_header(samples *from) {
    char magic[8];
    uint32_t numbers[HEADER_NUMBERS];
    if (!take(from, magic, sizeof magic) || memcmp(magic, "EDGECONV", sizeof magic) != 0 ||
        !take_numbers(from, numbers, HEADER_NUMBERS)) {
        return false;
    }
    from->count = numbers[1];
    from->prepared_tolerance = as_float(numbers[6]);
    from->probability_tolerance = as_float(numbers[7]);
    return numbers[0] == 1 && from->count > 0 && numbers[2] == BUNDLE_GUARD_CLASSES &&
           numbers[3] == BUNDLE_GUARD_HEIGHT && numbers[4] == BUNDLE_GUARD_WIDTH &&
           numbers[5] == BUNDLE_GUARD_CHANNELS && from->prepared_tolerance >= 0 &&
           from->probability_tolerance >= 0;
}

bool open_samples(const char *path, samples *out, char *error, size_t error_size) {
    *out = (samples){.file = fopen(path, "rb")};
    if (out->file == NULL) {
        snprintf(error, error_size, "`%s` must be the samples of a self-test. Received: %s.", path, strerror(errno));
        return false;
    }
    if (!take_header(out)) {
        snprintf(error, error_size,
            "`%s` must be the samples of a self-test of this model, version 1. Received: another file, or a "
            "damaged one.",
            path);
        return false;
    }
    return true;
}

static bool take_sample(samples *from, sample *out) {
    uint32_t numbers[SAMPLE_NUMBERS];
    if (!take_numbers(from, numbers, SAMPLE_NUMBERS)) {
        return false;
    }
    const uint32_t height = numbers[0], width = numbers[1], channels = numbers[2], label = numbers[3];
    if (height == 0 || width == 0 || (channels != 1 && channels != 3 && channels != 4) ||
        width > MOST_BYTES / channels / height || (label >= BUNDLE_GUARD_CLASSES && label != UNKNOWN)) {
        return false;
    }
    const size_t size = (size_t)height * width * channels;
    free(out->picture);
    out->picture = malloc(size);
    out->height = height;
    out->width = width;
    out->channels = channels;
    out->label = label == UNKNOWN ? -1 : (int)label;
    uint32_t probabilities[BUNDLE_GUARD_CLASSES];
    if (out->picture == NULL || !take_pixels(from, out->picture, size) ||
        !take_pixels(from, out->prepared, sizeof out->prepared) ||
        !take_numbers(from, probabilities, BUNDLE_GUARD_CLASSES)) {
        return false;
    }
    memcpy(out->probabilities, probabilities, sizeof out->probabilities);
    return true;
}

samples_state next_sample(samples *from, sample *out, char *error, size_t error_size) {
    if (from->read == from->count && fgetc(from->file) == EOF && !ferror(from->file)) {
        return SAMPLES_ENDED;
    }
    if (from->read == from->count || !take_sample(from, out)) {
        snprintf(error, error_size,
            "The self-test must have %u whole samples. Received: a damaged file, at sample %u. Get a new copy.",
            (unsigned)from->count, (unsigned)from->read);
        return SAMPLES_DAMAGED;
    }
    from->read++;
    return SAMPLE_READ;
}

void close_samples(samples *from, sample *last) {
    if (from->file != NULL) {
        fclose(from->file);
    }
    free(last->picture);
    from->file = NULL;
    last->picture = NULL;
}

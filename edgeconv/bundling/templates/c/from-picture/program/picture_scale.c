/* Keeps pictures to what they may take, and scales larger ones down while they are read. */
#include "decoders.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* The model's preparation of a picture takes width x (height + ROWS_BESIDE) x PIXEL_BYTES. */
    ROWS_BESIDE = BUNDLE_ROWS_BESIDE,
    ALPHA = 3
};

/* By the channels of the picture. */
static const double PIXEL_BYTES[] = {BUNDLE_PIXEL_BYTES_C};

static const double MOST_PREPARATION_BYTES = BUNDLE_MOST_BYTES;

bool check_size(decoding *job, size_t height, size_t width) {
    if (height > 0 && width > 0 && height <= PICTURE_MOST_SIDE && width <= PICTURE_MOST_SIDE &&
        width <= PICTURE_MOST_PIXELS / height) {
        return true;
    }
    snprintf(job->error, job->error_size, "at most %d pixels and %d a side are allowed, it has %zux%zu",
        PICTURE_MOST_PIXELS, PICTURE_MOST_SIDE, width, height);
    return false;
}

bool check_bytes(decoding *job, size_t bytes) {
    if (bytes > PICTURE_MOST_BYTES) {
        snprintf(job->error, job->error_size, "one that would take %zu MB of %d",
            bytes / 1000000, PICTURE_MOST_BYTES / 1000000);
    }
    return bytes <= PICTURE_MOST_BYTES;
}

static size_t divide_up(size_t length, size_t factor) {
    return (length + factor - 1) / factor;
}

size_t scale_factor(size_t height, size_t width, size_t channels) {
    size_t factor = 1;
    while ((double)divide_up(width, factor) * (double)(divide_up(height, factor) + ROWS_BESIDE) *
               PIXEL_BYTES[channels] >
           MOST_PREPARATION_BYTES) {
        factor++;
    }
    return factor;
}

bool make_room(decoding *job, size_t height, size_t width, size_t channels, size_t decoded) {
    job->height = height;
    job->width = width;
    job->factor = scale_factor(height, width, channels);
    job->result.height = divide_up(height, job->factor);
    job->result.width = divide_up(width, job->factor);
    job->result.channels = channels;
    job->result.pixels = malloc(job->result.height * job->result.width * channels);
    job->sums = calloc(job->result.width * channels, sizeof *job->sums);
    job->decoded = malloc(decoded);
    if (job->result.pixels == NULL || job->sums == NULL || job->decoded == NULL) {
        snprintf(job->error, job->error_size, "%zux%zu pixels do not fit into memory", width, height);
        return false;
    }
    return true;
}

/* Colours weigh as much as they are seen: by their alpha, where there is any. */
static void add_row(decoding *job, const uint8_t *row) {
    const size_t channels = job->result.channels;
    for (size_t column = 0; column < job->width; column++, row += channels) {
        uint64_t *sums = job->sums + column / job->factor * channels;
        for (size_t channel = 0; channel < channels; channel++) {
            const bool weighed = channels > ALPHA && channel < ALPHA;
            sums[channel] += weighed ? (uint64_t)row[channel] * row[ALPHA] : row[channel];
        }
    }
}

static void write_means(decoding *job, size_t rows) {
    const size_t channels = job->result.channels, width = job->result.width;
    uint8_t *to = job->result.pixels + (job->rows - 1) / job->factor * width * channels;
    for (size_t column = 0; column < width; column++) {
        const size_t left = job->width - column * job->factor;
        const uint64_t pixels = rows * (left < job->factor ? left : job->factor);
        const uint64_t *sums = job->sums + column * channels;
        for (size_t channel = 0; channel < channels; channel++) {
            const uint64_t weight = channels > ALPHA && channel < ALPHA ? sums[ALPHA] : pixels;
            *to++ = (uint8_t)(weight == 0 ? 0 : (sums[channel] + weight / 2) / weight);
        }
    }
    memset(job->sums, 0, width * channels * sizeof *job->sums);
}

void take_row(decoding *job, const uint8_t *row) {
    const size_t size = job->width * job->result.channels;
    job->rows++;
    if (job->factor == 1) {
        memcpy(job->result.pixels + (job->rows - 1) * size, row, size);
        return;
    }
    add_row(job, row);
    const size_t in_square = (job->rows - 1) % job->factor + 1;
    if (in_square == job->factor || job->rows == job->height) {
        write_means(job, in_square);
    }
}

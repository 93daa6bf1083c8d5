/*
 * Reads the samples of a self-test, raw little-endian; each part is a multiple of 8 bytes:
 *
 *     8 bytes   "EDGECONV"
 *     uint32    version, 3
 *     uint32    fingerprint of the inputs and outputs
 *     uint32    number of samples
 *     uint32    number of outputs
 *     for each output:
 *     float64   by how much a number in it may differ
 *     float64   share of its cells that may differ by more
 *     int64     how many numbers a cell has
 *     then for each sample:
 *     int64     its class, -1 where that is not known
 *     an array  for each input, then for each output: what the reference answers
 *     and each array is:
 *     uint32    type, as in BUNDLE_IDENTIFIER_array
 *     uint32    number of axes
 *     int64     for each axis: its size
 *     numbers   padded with zeros to a multiple of 8 bytes
 */
#ifndef SAMPLES_INCLUDED
#define SAMPLES_INCLUDED

#include "../BUNDLE_IDENTIFIER.h"

#include <stdio.h>

/* How far an output may be off: numbers by `largest`, a share of the cells, `spared`, by more. A cell is a pixel or a
 * step, the numbers of the last axis, or one number. */
typedef struct {
    double largest, spared;
    size_t cell;
} limit;

typedef struct {
    FILE *file;
    uint32_t count, read;
    limit limits[BUNDLE_GUARD_OUTPUTS];
} samples;

typedef struct {
    int label; /* -1 where that is not known */
    BUNDLE_IDENTIFIER_array inputs[BUNDLE_GUARD_INPUTS], outputs[BUNDLE_GUARD_OUTPUTS];
} sample;

typedef enum {
    SAMPLE_READ,
    SAMPLES_ENDED,
    SAMPLES_DAMAGED
} samples_state;

bool open_samples(const char *path, samples *out, char *error, size_t error_size);

/* Reads the next sample; frees the one that was there before. */
samples_state next_sample(samples *from, sample *out, char *error, size_t error_size);

/* Closes the file and frees the last sample; the numbers of `from` stay. */
void close_samples(samples *from, sample *last);

#endif

/*
 * Reads the samples of a self-test, raw little-endian:
 *
 *     8 bytes   "EDGECONV"
 *     uint32    version, 1
 *     uint32    number of samples
 *     uint32    classes, height, width, channels of what the net is fed
 *     float32   grey levels by which the prepared picture may differ
 *     float32   by which a probability may differ
 *     then for each sample:
 *     uint32    height, width, channels of the picture
 *     int32     its class, -1 where that is not known
 *     uint8     the picture, (height, width, channels), padded with zeros to a multiple of 4 bytes
 *     uint8     the prepared picture, padded likewise
 *     float32   the reference's probabilities, one a class
 */
#ifndef SAMPLES_INCLUDED
#define SAMPLES_INCLUDED

#include "../BUNDLE_IDENTIFIER.h"

#include <stdio.h>

typedef struct {
    FILE *file;
    uint32_t count, read;
    float prepared_tolerance, probability_tolerance;
} samples;

typedef struct {
    uint8_t *picture;
    size_t height, width, channels;
    int label; /* -1 where that is not known */
    uint8_t prepared[BUNDLE_GUARD_PREPARED_SIZE];
    float probabilities[BUNDLE_GUARD_CLASSES];
} sample;

typedef enum {
    SAMPLE_READ,
    SAMPLES_ENDED,
    SAMPLES_DAMAGED
} samples_state;

bool open_samples(const char *path, samples *out, char *error, size_t error_size);

/* Reads the next sample, into room that is used again for the one behind it. */
samples_state next_sample(samples *from, sample *out, char *error, size_t error_size);

/* Closes the file; its numbers stay. */
void close_samples(samples *from, sample *last);

#endif

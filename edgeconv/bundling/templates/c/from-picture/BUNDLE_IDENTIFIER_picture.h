/*
 * BUNDLE_NAME: BUNDLE_PURPOSE.
 *
 * It takes a picture of any size as raw pixels. The preparation is inside the model, which
 * BUNDLE_PREPARATION.
 *
 *     float numbers[...];
 *     if (BUNDLE_IDENTIFIER_predict(model, pixels, height, width, channels,
 *             numbers, sizeof numbers / sizeof *numbers, error, sizeof error)) {
 *         ...
 *     }
 */
#ifndef BUNDLE_GUARD_PICTURE_H
#define BUNDLE_GUARD_PICTURE_H

#include "BUNDLE_IDENTIFIER.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* What the net inside the model is fed, once a picture is prepared. */
    BUNDLE_GUARD_HEIGHT = BUNDLE_HEIGHT,
    BUNDLE_GUARD_WIDTH = BUNDLE_WIDTH,
    BUNDLE_GUARD_CHANNELS = BUNDLE_CHANNELS
};

/* Answers a picture with the model's outputs, and as the last what the net was fed: uint8,
 * (1, BUNDLE_GUARD_HEIGHT, BUNDLE_GUARD_WIDTH, BUNDLE_GUARD_CHANNELS).
 * `pixels` are (height, width, channels), 0 to 255, row by row without gaps;
 * channels are 1 (grey), 3 (RGB) or 4 (RGB and straight alpha). */
bool BUNDLE_IDENTIFIER_run_picture(
    const BUNDLE_IDENTIFIER_model *model, const uint8_t *pixels, size_t height, size_t width,
    size_t channels, BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size);

/* The same, and copies the numbers of the first output, of which there must be `count` floats.
 * Where nothing was found in the picture they are all 0. */
bool BUNDLE_IDENTIFIER_predict(
    const BUNDLE_IDENTIFIER_model *model, const uint8_t *pixels, size_t height, size_t width,
    size_t channels, float *numbers, size_t count, char *error, size_t error_size);

/* False where nothing was found in the picture, as in an empty sheet of paper that is searched for a digit. */
bool BUNDLE_IDENTIFIER_found(const BUNDLE_IDENTIFIER_array *outputs);

#ifdef __cplusplus
}
#endif

#endif

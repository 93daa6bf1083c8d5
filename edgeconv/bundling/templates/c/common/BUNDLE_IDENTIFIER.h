/*
 * BUNDLE_NAME: tells BUNDLE_CLASSES classes of pictures apart, through ONNX Runtime's C API.
 *
 * It takes a picture of any size as raw pixels. The preparation is inside the model, which
 * BUNDLE_PREPARATION.
 *
 *     char error[BUNDLE_GUARD_ERROR_SIZE];
 *     BUNDLE_IDENTIFIER_model *model = BUNDLE_IDENTIFIER_open("BUNDLE_MODEL_FILE", error, sizeof error);
 *     float probabilities[BUNDLE_GUARD_CLASSES];
 *     if (model != NULL && BUNDLE_IDENTIFIER_predict(model, pixels, height, width, channels,
 *                                         probabilities, error, sizeof error)) {
 *         int best = BUNDLE_IDENTIFIER_best(probabilities);
 *         puts(best < 0 ? "nothing found in the picture" : BUNDLE_IDENTIFIER_label(best));
 *     }
 *     BUNDLE_IDENTIFIER_close(model);
 *
 * There is no global state. One model may answer in many threads at once.
 * Where a function fails, it writes one sentence in UTF-8 into `error`, cut to `error_size` bytes
 * with the zero behind it; `error` may be NULL where `error_size` is 0.
 */
#ifndef BUNDLE_GUARD_H
#define BUNDLE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BUNDLE_GUARD_CLASSES = BUNDLE_CLASSES,
    /* What the net inside the model is fed, once a picture is prepared. */
    BUNDLE_GUARD_HEIGHT = BUNDLE_HEIGHT,
    BUNDLE_GUARD_WIDTH = BUNDLE_WIDTH,
    BUNDLE_GUARD_CHANNELS = BUNDLE_CHANNELS,
    BUNDLE_GUARD_PREPARED_SIZE = BUNDLE_GUARD_HEIGHT * BUNDLE_GUARD_WIDTH * BUNDLE_GUARD_CHANNELS,
    /* Bytes that hold any sentence worth reading. */
    BUNDLE_GUARD_ERROR_SIZE = 512
};

typedef struct BUNDLE_IDENTIFIER_model BUNDLE_IDENTIFIER_model;

/* Opens the model file and has it answer a picture of one pixel, so that a file that is damaged or
 * another model's is found now. NULL where that fails. */
BUNDLE_IDENTIFIER_model *BUNDLE_IDENTIFIER_open(const char *path, char *error, size_t error_size);

/* The same from the bytes of the file, as an app's assets hold them; they may go afterwards. */
BUNDLE_IDENTIFIER_model *BUNDLE_IDENTIFIER_open_memory(
    const void *bytes, size_t size, char *error, size_t error_size);

/* Answers a picture. `pixels` are (height, width, channels), 0 to 255, row by row without gaps;
 * channels are 1 (grey), 3 (RGB) or 4 (RGB and straight alpha).
 * Writes BUNDLE_GUARD_CLASSES probabilities, which are all 0 where nothing was found in the picture. */
bool BUNDLE_IDENTIFIER_predict(
    const BUNDLE_IDENTIFIER_model *model, const uint8_t *pixels, size_t height, size_t width,
    size_t channels, float *probabilities, char *error, size_t error_size);

/* The same, and writes what the net was fed: BUNDLE_GUARD_PREPARED_SIZE bytes, (height, width, channels). */
bool BUNDLE_IDENTIFIER_inspect(
    const BUNDLE_IDENTIFIER_model *model, const uint8_t *pixels, size_t height, size_t width,
    size_t channels, float *probabilities, uint8_t *prepared, char *error, size_t error_size);

/* The index of the likeliest class; -1 where nothing was found in the picture. */
int BUNDLE_IDENTIFIER_best(const float *probabilities);

/* The name of a class, in UTF-8; NULL where there is no class of that index. */
const char *BUNDLE_IDENTIFIER_label(int index);

/* Frees the model; NULL is let pass. No other thread may be using it. */
void BUNDLE_IDENTIFIER_close(BUNDLE_IDENTIFIER_model *model);

#ifdef __cplusplus
}
#endif

#endif

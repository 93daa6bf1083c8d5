#include "BUNDLE_IDENTIFIER_picture.h"

#include <stdio.h>
#include <string.h>

enum {
    FLOAT = 1,
    UINT8 = 2
};

bool BUNDLE_IDENTIFIER_run_picture(const BUNDLE_IDENTIFIER_model *model, const uint8_t *pixels, size_t height,
    size_t width, size_t channels, BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size) {
    if (model == NULL || pixels == NULL || outputs == NULL) {
        snprintf(error, error_size, "A model, pixels and room for outputs are required. Received: NULL.");
        return false;
    }
    if ((channels != 1 && channels != 3 && channels != 4) || height == 0 || width == 0 ||
        height > PTRDIFF_MAX / channels / width) {
        snprintf(error, error_size,
            "A picture must have (height, width, 1, 3 or 4 channels). Received: (%zu, %zu, %zu).",
            height, width, channels);
        return false;
    }
    /* The pixels are only read. */
    const BUNDLE_IDENTIFIER_array picture = {
        UINT8, 3, {(int64_t)height, (int64_t)width, (int64_t)channels}, height * width * channels, (void *)pixels};
    return BUNDLE_IDENTIFIER_run(model, &picture, outputs, error, error_size);
}

bool BUNDLE_IDENTIFIER_predict(const BUNDLE_IDENTIFIER_model *model, const uint8_t *pixels, size_t height,
    size_t width, size_t channels, float *numbers, size_t count, char *error, size_t error_size) {
    BUNDLE_IDENTIFIER_array outputs[BUNDLE_GUARD_OUTPUTS];
    if (numbers == NULL) {
        snprintf(error, error_size, "Room for numbers is required. Received: NULL.");
        return false;
    }
    if (!BUNDLE_IDENTIFIER_run_picture(model, pixels, height, width, channels, outputs, error, error_size)) {
        return false;
    }
    const bool fits = outputs[0].type == FLOAT && outputs[0].size == count * sizeof *numbers;
    if (fits) {
        memcpy(numbers, outputs[0].data, outputs[0].size);
    } else {
        snprintf(error, error_size, "Room for %zu bytes of type %d is required. Received: for %zu floats.",
            outputs[0].size, outputs[0].type, count);
    }
    BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
    return fits;
}

bool BUNDLE_IDENTIFIER_found(const BUNDLE_IDENTIFIER_array *outputs) {
    const bool searched = BUNDLE_OF_DIGITS;
    const BUNDLE_IDENTIFIER_array *prepared = &outputs[BUNDLE_GUARD_OUTPUTS - 1];
    const uint8_t *pixels = prepared->data;
    for (size_t i = 0; i < prepared->size && searched; i++) {
        if (pixels[i] != 0) {
            return true;
        }
    }
    return !searched;
}

/*
 * BUNDLE_NAME: BUNDLE_PURPOSE.
 *
 * The model through ONNX Runtime's C API: arrays in, arrays out. README.md names them.
 *
 *     char error[BUNDLE_GUARD_ERROR_SIZE];
 *     BUNDLE_IDENTIFIER_array inputs[BUNDLE_GUARD_INPUTS] = {...}, outputs[BUNDLE_GUARD_OUTPUTS];
 *     BUNDLE_IDENTIFIER_model *model = BUNDLE_IDENTIFIER_open("BUNDLE_MODEL_FILE", error, sizeof error);
 *     if (model != NULL && BUNDLE_IDENTIFIER_run(model, inputs, outputs, error, sizeof error)) {
 *         const float *numbers = outputs[0].data;
 *         ...
 *         BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
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
    BUNDLE_GUARD_INPUTS = BUNDLE_INPUT_COUNT,
    BUNDLE_GUARD_OUTPUTS = BUNDLE_OUTPUT_COUNT,
    /* Names of classes, tags or values. */
    BUNDLE_GUARD_LABELS = BUNDLE_CLASSES,
    BUNDLE_GUARD_MOST_AXES = 12,
    /* Bytes that hold any sentence worth reading. */
    BUNDLE_GUARD_ERROR_SIZE = 512
};

typedef struct BUNDLE_IDENTIFIER_model BUNDLE_IDENTIFIER_model;

/* Numbers row by row, without gaps. */
typedef struct {
    /* ONNX' number of the type: 1 float, 2 uint8, 3 int8, 4 uint16, 5 int16, 6 int32, 7 int64, 9 bool,
     * 10 float16, 11 double, 12 uint32, 13 uint64. */
    int type;
    size_t axes;
    int64_t shape[BUNDLE_GUARD_MOST_AXES];
    size_t size; /* of the data, in bytes */
    void *data;
} BUNDLE_IDENTIFIER_array;

/* Opens the model file. NULL where that fails, or where it is another model's. */
BUNDLE_IDENTIFIER_model *BUNDLE_IDENTIFIER_open(const char *path, char *error, size_t error_size);

/* The same from the bytes of the file, as an app's assets hold them; they may go afterwards. */
BUNDLE_IDENTIFIER_model *BUNDLE_IDENTIFIER_open_memory(
    const void *bytes, size_t size, char *error, size_t error_size);

/* Runs the model: BUNDLE_GUARD_INPUTS arrays in, BUNDLE_GUARD_OUTPUTS out, in the order of README.md.
 * The inputs' data is only read. The outputs are freed by BUNDLE_IDENTIFIER_free_arrays; where this
 * fails there are none. */
bool BUNDLE_IDENTIFIER_run(
    const BUNDLE_IDENTIFIER_model *model, const BUNDLE_IDENTIFIER_array *inputs,
    BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size);

/* Frees the data of arrays. */
void BUNDLE_IDENTIFIER_free_arrays(BUNDLE_IDENTIFIER_array *arrays, size_t count);

/* The name of an output, in UTF-8; NULL where there is none of that index. */
const char *BUNDLE_IDENTIFIER_output_name(size_t index);

/* The name of a class, a tag or a value, in UTF-8; NULL where there is none of that index. */
const char *BUNDLE_IDENTIFIER_label(int index);

/* Frees the model; NULL is let pass. No other thread may be using it. */
void BUNDLE_IDENTIFIER_close(BUNDLE_IDENTIFIER_model *model);

#ifdef __cplusplus
}
#endif

#endif

/* What the files of the model share; apps include BUNDLE_IDENTIFIER.h. */
#ifndef BUNDLE_GUARD_INTERNAL_H
#define BUNDLE_GUARD_INTERNAL_H

#include "BUNDLE_IDENTIFIER.h"

#include <onnxruntime_c_api.h>

struct BUNDLE_IDENTIFIER_model {
    const OrtApi *api;
    OrtEnv *env;
    OrtMemoryInfo *memory;
    OrtSession *session;
    const char *inputs[BUNDLE_GUARD_INPUTS], *outputs[BUNDLE_GUARD_OUTPUTS];
};

/* Where a function leaves the sentence that says why it failed. */
typedef struct {
    char *text;
    size_t size;
} BUNDLE_IDENTIFIER_complaint;

/* Writes the sentence; false. */
bool BUNDLE_IDENTIFIER_fail(BUNDLE_IDENTIFIER_complaint why, const char *format, ...);

/* True where a call to ONNX Runtime went well. Releases its status. */
bool BUNDLE_IDENTIFIER_done(
    const OrtApi *api, OrtStatus *status, const char *step, BUNDLE_IDENTIFIER_complaint why);

/* Writes the type and the shape of an array; the data stays as it is. */
bool BUNDLE_IDENTIFIER_describe(
    const OrtApi *api, const OrtTensorTypeAndShapeInfo *info, BUNDLE_IDENTIFIER_array *array,
    BUNDLE_IDENTIFIER_complaint why);

/* Takes the names of the session's arrays; false where they are those of another model. */
bool BUNDLE_IDENTIFIER_check(BUNDLE_IDENTIFIER_model *model, BUNDLE_IDENTIFIER_complaint why);

#endif

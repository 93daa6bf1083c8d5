/* What goes into the model's file and comes out, and whether a file is the one that this code was made for. */
#include "BUNDLE_IDENTIFIER_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef BUNDLE_IDENTIFIER_complaint complaint;

/* An array: its name, and its type and shape in words. */
typedef struct {
    const char *name, *words;
} expected;

static const expected INPUTS[BUNDLE_GUARD_INPUTS] = {
BUNDLE_INPUTS_C
};

static const expected OUTPUTS[BUNDLE_GUARD_OUTPUTS] = {
BUNDLE_OUTPUTS_C
};

static const char *const LABELS[BUNDLE_GUARD_LABELS + 1] = {
BUNDLE_LABELS_C
    NULL,
};

static const char *const TYPES[] = {
    "undefined", "float32", "uint8", "int8", "uint16", "int16", "int32",
    "int64", "string", "bool", "float16", "float64", "uint32", "uint64"};

bool BUNDLE_IDENTIFIER_fail(complaint why, const char *format, ...) {
    if (why.text != NULL && why.size > 0) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(why.text, why.size, format, arguments);
        va_end(arguments);
    }
    return false;
}

bool BUNDLE_IDENTIFIER_done(const OrtApi *api, OrtStatus *status, const char *step, complaint why) {
    if (status == NULL) {
        return true;
    }
    BUNDLE_IDENTIFIER_fail(why, "ONNX Runtime must %s. Received: %s", step, api->GetErrorMessage(status));
    api->ReleaseStatus(status);
    return false;
}

bool BUNDLE_IDENTIFIER_describe(
    const OrtApi *api, const OrtTensorTypeAndShapeInfo *info, BUNDLE_IDENTIFIER_array *array, complaint why) {
    ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    if (!BUNDLE_IDENTIFIER_done(api, api->GetTensorElementType(info, &type), "describe an array", why) ||
        !BUNDLE_IDENTIFIER_done(api, api->GetDimensionsCount(info, &array->axes), "describe an array", why)) {
        return false;
    }
    array->type = (int)type;
    if (array->axes > BUNDLE_GUARD_MOST_AXES) {
        return BUNDLE_IDENTIFIER_fail(
            why, "An array must have at most %d axes. Received: %zu.", BUNDLE_GUARD_MOST_AXES, array->axes);
    }
    return BUNDLE_IDENTIFIER_done(
        api, api->GetDimensions(info, array->shape, array->axes), "describe an array", why);
}

/* "float32 (any, 10)": the size of an open axis is -1, and `any` in words. */
static void in_words(const BUNDLE_IDENTIFIER_array *array, char *text, size_t size) {
    const bool known = array->type > 0 && (size_t)array->type < sizeof TYPES / sizeof *TYPES;
    size_t used = (size_t)snprintf(text, size, "%s (", TYPES[known ? array->type : 0]);
    for (size_t axis = 0; axis < array->axes; axis++) {
        char number[24] = "any";
        if (array->shape[axis] >= 0) {
            snprintf(number, sizeof number, "%lld", (long long)array->shape[axis]);
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", axis == 0 ? "" : ", ", number);
    }
    snprintf(text + used, size - used, ")");
}

static bool compare(const BUNDLE_IDENTIFIER_model *model, const expected *wanted, const char *name,
    const OrtTypeInfo *type, complaint why) {
    const OrtTensorTypeAndShapeInfo *info = NULL;
    BUNDLE_IDENTIFIER_array found = {0};
    char words[32 * (BUNDLE_GUARD_MOST_AXES + 1)] = "no tensor";
    if (!BUNDLE_IDENTIFIER_done(
            model->api, model->api->CastTypeInfoToTensorInfo(type, &info), "describe an array", why) ||
        (info != NULL && !BUNDLE_IDENTIFIER_describe(model->api, info, &found, why))) {
        return false;
    }
    if (info != NULL) {
        in_words(&found, words, sizeof words);
    }
    return (strcmp(name, wanted->name) == 0 && strcmp(words, wanted->words) == 0) ||
           BUNDLE_IDENTIFIER_fail(why,
               "The model must have `%s`, %s. Received: `%s`, %s. Use the BUNDLE_MODEL_FILE that came with this code.",
               wanted->name, wanted->words, name, words);
}

typedef OrtStatus *(ORT_API_CALL *count_getter)(const OrtSession *, size_t *);
typedef OrtStatus *(ORT_API_CALL *name_getter)(const OrtSession *, size_t, OrtAllocator *, char **);
typedef OrtStatus *(ORT_API_CALL *type_getter)(const OrtSession *, size_t, OrtTypeInfo **);

static bool check_each(const BUNDLE_IDENTIFIER_model *model, const expected *wanted, size_t count, const char *what,
    count_getter get_count, name_getter get_name, type_getter get_type, complaint why) {
    const OrtApi *api = model->api;
    OrtAllocator *allocator = NULL;
    size_t received = 0;
    bool right =
        BUNDLE_IDENTIFIER_done(api, api->GetAllocatorWithDefaultOptions(&allocator), "name an array", why) &&
        BUNDLE_IDENTIFIER_done(api, get_count(model->session, &received), "count the arrays", why);
    if (right && received != count) {
        return BUNDLE_IDENTIFIER_fail(why,
            "The model must have %zu %s. Received: %zu. Use the BUNDLE_MODEL_FILE that came with this code.",
            count, what, received);
    }
    for (size_t i = 0; i < count && right; i++) {
        char *name = NULL;
        OrtTypeInfo *type = NULL;
        right = BUNDLE_IDENTIFIER_done(api, get_name(model->session, i, allocator, &name), "name an array", why) &&
                BUNDLE_IDENTIFIER_done(api, get_type(model->session, i, &type), "describe an array", why) &&
                compare(model, &wanted[i], name, type, why);
        api->ReleaseTypeInfo(type);
        if (name != NULL) {
            right = BUNDLE_IDENTIFIER_done(api, api->AllocatorFree(allocator, name), "free a name", why) && right;
        }
    }
    return right;
}

bool BUNDLE_IDENTIFIER_check(BUNDLE_IDENTIFIER_model *model, complaint why) {
    const OrtApi *api = model->api;
    for (size_t i = 0; i < BUNDLE_GUARD_INPUTS; i++) {
        model->inputs[i] = INPUTS[i].name;
    }
    for (size_t i = 0; i < BUNDLE_GUARD_OUTPUTS; i++) {
        model->outputs[i] = OUTPUTS[i].name;
    }
    return check_each(model, INPUTS, BUNDLE_GUARD_INPUTS, "inputs", api->SessionGetInputCount,
               api->SessionGetInputName, api->SessionGetInputTypeInfo, why) &&
           check_each(model, OUTPUTS, BUNDLE_GUARD_OUTPUTS, "outputs", api->SessionGetOutputCount,
               api->SessionGetOutputName, api->SessionGetOutputTypeInfo, why);
}

const char *BUNDLE_IDENTIFIER_output_name(size_t index) {
    return index < BUNDLE_GUARD_OUTPUTS ? OUTPUTS[index].name : NULL;
}

const char *BUNDLE_IDENTIFIER_label(int index) {
    return index >= 0 && index < BUNDLE_GUARD_LABELS ? LABELS[index] : NULL;
}

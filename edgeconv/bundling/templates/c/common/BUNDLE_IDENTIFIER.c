#ifndef _WIN32
#define _POSIX_C_SOURCE 200112L /* setenv */
#endif

#include "BUNDLE_IDENTIFIER.h"

#include <errno.h>
#include <onnxruntime_c_api.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct BUNDLE_IDENTIFIER_model {
    const OrtApi *api;
    OrtEnv *env;
    OrtMemoryInfo *memory;
    OrtSession *session;
};

/* Where a function leaves the sentence that says why it failed. */
typedef struct {
    char *text;
    size_t size;
} complaint;

static const char *const LABELS[BUNDLE_GUARD_CLASSES] = {
BUNDLE_LABELS_C
};

static const char *const INPUTS[] = {"picture"};
static const char *const OUTPUTS[] = {"probabilities", "prepared"};

static bool fail(complaint why, const char *format, ...) {
    if (why.text != NULL && why.size > 0) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(why.text, why.size, format, arguments);
        va_end(arguments);
    }
    return false;
}

/* True where a call to ONNX Runtime went well. Releases its status. */
static bool done(const OrtApi *api, OrtStatus *status, const char *step, complaint why) {
    if (status == NULL) {
        return true;
    }
    fail(why, "ONNX Runtime must %s. Received: %s", step, api->GetErrorMessage(status));
    api->ReleaseStatus(status);
    return false;
}

static const OrtApi *find_api(complaint why) {
    const OrtApiBase *base = OrtGetApiBase();
    const OrtApi *api = base->GetApi(ORT_API_VERSION);
    if (api == NULL) {
        fail(why,
            "ONNX Runtime 1.%d or newer is required, whose headers this was built with. Received: %s. "
            "Put a newer library beside the app, or build with older headers.",
            ORT_API_VERSION, base->GetVersionString());
    }
    return api;
}

/* Without it ONNX Runtime keeps a device id under the home folder and sends usage data. It is read by CreateEnv. */
static void disable_telemetry(void) {
#ifdef _WIN32
    if (getenv("ORT_DISABLE_TELEMETRY") == NULL) {
        _putenv_s("ORT_DISABLE_TELEMETRY", "1");
    }
#else
    setenv("ORT_DISABLE_TELEMETRY", "1", 0);
#endif
}

/* One thread in sequence: the fastest for one picture through a small model. */
static bool configure(const OrtApi *api, OrtSessionOptions *options, complaint why) {
    return done(api, api->SetIntraOpNumThreads(options, 1), "take one thread", why) &&
           done(api, api->SetInterOpNumThreads(options, 1), "take one thread", why) &&
           done(api, api->SetSessionExecutionMode(options, ORT_SEQUENTIAL), "run in sequence", why) &&
           /* Errors come back as words; nothing is printed beside them. */
           done(api, api->SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_FATAL), "log less", why) &&
           /* Sums of int8 products overflow on x86 processors without VNNI otherwise. */
           done(api, api->AddSessionConfigEntry(options, "session.x64quantprecision", "1"), "be exact", why);
}

static bool try_out(const BUNDLE_IDENTIFIER_model *model, complaint why) {
    const uint8_t pixel = 0;
    float probabilities[BUNDLE_GUARD_CLASSES];
    uint8_t *prepared = malloc(BUNDLE_GUARD_PREPARED_SIZE);
    if (prepared == NULL) {
        return fail(why, "%d bytes of memory are required. Received: none.", BUNDLE_GUARD_PREPARED_SIZE);
    }
    const bool answered = BUNDLE_IDENTIFIER_inspect(
        model, &pixel, 1, 1, 1, probabilities, prepared, why.text, why.size);
    free(prepared);
    return answered;
}

static bool start(BUNDLE_IDENTIFIER_model *model, const void *bytes, size_t size, complaint why) {
    const OrtApi *api = model->api;
    OrtSessionOptions *options = NULL;
    disable_telemetry();
    const bool started =
        done(api, api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "BUNDLE_IDENTIFIER", &model->env), "start", why) &&
        done(api, api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &model->memory),
            "describe memory", why) &&
        done(api, api->CreateSessionOptions(&options), "make options", why) &&
        configure(api, options, why) &&
        done(api, api->CreateSessionFromArray(model->env, bytes, size, options, &model->session),
            "load the model", why) &&
        try_out(model, why);
    api->ReleaseSessionOptions(options);
    return started;
}

BUNDLE_IDENTIFIER_model *BUNDLE_IDENTIFIER_open_memory(
    const void *bytes, size_t size, char *error, size_t error_size) {
    const complaint why = {error, error_size};
    if (bytes == NULL || size == 0) {
        fail(why, "The bytes of BUNDLE_MODEL_FILE are required. Received: none.");
        return NULL;
    }
    const OrtApi *api = find_api(why);
    if (api == NULL) {
        return NULL;
    }
    BUNDLE_IDENTIFIER_model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        fail(why, "%zu bytes of memory are required. Received: none.", sizeof *model);
        return NULL;
    }
    model->api = api;
    if (!start(model, bytes, size, why)) {
        BUNDLE_IDENTIFIER_close(model);
        return NULL;
    }
    return model;
}

/* Reads to the end instead of asking for the size first, which folders and pipes answer wrongly. */
static uint8_t *read_all(FILE *file, size_t *size) {
    size_t room = 1 << 16;
    uint8_t *bytes = malloc(room);
    *size = 0;
    while (bytes != NULL) {
        *size += fread(bytes + *size, 1, room - *size, file);
        if (*size < room) {
            break;
        }
        uint8_t *larger = room <= SIZE_MAX / 2 ? realloc(bytes, room * 2) : NULL;
        if (larger == NULL) {
            free(bytes);
        }
        bytes = larger;
        room *= 2;
    }
    if (bytes != NULL && ferror(file)) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

BUNDLE_IDENTIFIER_model *BUNDLE_IDENTIFIER_open(const char *path, char *error, size_t error_size) {
    const complaint why = {error, error_size};
    if (path == NULL) {
        fail(why, "The path of BUNDLE_MODEL_FILE is required. Received: NULL.");
        return NULL;
    }
    errno = 0;
    FILE *file = fopen(path, "rb");
    size_t size = 0;
    uint8_t *bytes = file == NULL ? NULL : read_all(file, &size);
    const int reason = errno;
    if (file != NULL) {
        fclose(file);
    }
    if (bytes == NULL) {
        fail(why, "`%s` must be the model's file. Received: %s.", path, strerror(reason));
        return NULL;
    }
    BUNDLE_IDENTIFIER_model *model = BUNDLE_IDENTIFIER_open_memory(bytes, size, error, error_size);
    free(bytes);
    return model;
}

static bool copy_output(const OrtApi *api, OrtValue *value, ONNXTensorElementDataType type, size_t count,
    size_t size, void *to, complaint why) {
    OrtTensorTypeAndShapeInfo *info = NULL;
    ONNXTensorElementDataType received = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    size_t elements = 0;
    const bool described =
        done(api, api->GetTensorTypeAndShape(value, &info), "describe an output", why) &&
        done(api, api->GetTensorElementType(info, &received), "describe an output", why) &&
        done(api, api->GetTensorShapeElementCount(info, &elements), "describe an output", why);
    api->ReleaseTensorTypeAndShapeInfo(info);
    if (!described) {
        return false;
    }
    if (received != type || elements != count) {
        return fail(why, "The model must answer %zu numbers of type %d. Received: %zu of type %d. "
                         "Use the BUNDLE_MODEL_FILE that came with this code.",
            count, (int)type, elements, (int)received);
    }
    void *data = NULL;
    if (!done(api, api->GetTensorMutableData(value, &data), "show an output", why)) {
        return false;
    }
    memcpy(to, data, size);
    return true;
}

static bool run(const BUNDLE_IDENTIFIER_model *model, const OrtValue *picture, float *probabilities,
    uint8_t *prepared, complaint why) {
    const OrtApi *api = model->api;
    OrtValue *outputs[] = {NULL, NULL};
    const size_t wanted = prepared == NULL ? 1 : 2;
    const bool copied =
        done(api, api->Run(model->session, NULL, INPUTS, &picture, 1, OUTPUTS, wanted, outputs), "run the model", why) &&
        copy_output(api, outputs[0], ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, BUNDLE_GUARD_CLASSES,
            BUNDLE_GUARD_CLASSES * sizeof *probabilities, probabilities, why) &&
        (prepared == NULL || copy_output(api, outputs[1], ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, BUNDLE_GUARD_PREPARED_SIZE,
                                 BUNDLE_GUARD_PREPARED_SIZE, prepared, why));
    api->ReleaseValue(outputs[0]);
    api->ReleaseValue(outputs[1]);
    return copied;
}

bool BUNDLE_IDENTIFIER_inspect(const BUNDLE_IDENTIFIER_model *model, const uint8_t *pixels, size_t height, size_t width,
    size_t channels, float *probabilities, uint8_t *prepared, char *error, size_t error_size) {
    const complaint why = {error, error_size};
    if (model == NULL || pixels == NULL || probabilities == NULL) {
        return fail(why, "A model, pixels and room for probabilities are required. Received: NULL.");
    }
    if ((channels != 1 && channels != 3 && channels != 4) || height == 0 || width == 0 ||
        height > PTRDIFF_MAX / channels / width) {
        return fail(why, "A picture must have (height, width, 1, 3 or 4 channels). Received: (%zu, %zu, %zu).",
            height, width, channels);
    }
    const OrtApi *api = model->api;
    const int64_t shape[] = {(int64_t)height, (int64_t)width, (int64_t)channels};
    OrtValue *picture = NULL;
    /* ONNX Runtime only reads the pixels; its signature has no const for it. */
    OrtStatus *status = api->CreateTensorWithDataAsOrtValue(model->memory, (void *)pixels, height * width * channels,
        shape, 3, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, &picture);
    const bool answered =
        done(api, status, "take the pixels", why) && run(model, picture, probabilities, prepared, why);
    api->ReleaseValue(picture);
    return answered;
}

bool BUNDLE_IDENTIFIER_predict(const BUNDLE_IDENTIFIER_model *model, const uint8_t *pixels, size_t height, size_t width,
    size_t channels, float *probabilities, char *error, size_t error_size) {
    return BUNDLE_IDENTIFIER_inspect(
        model, pixels, height, width, channels, probabilities, NULL, error, error_size);
}

int BUNDLE_IDENTIFIER_best(const float *probabilities) {
    int best = -1;
    float most = 0;
    for (int index = 0; index < BUNDLE_GUARD_CLASSES; index++) {
        if (probabilities[index] > most) {
            most = probabilities[index];
            best = index;
        }
    }
    return best;
}

const char *BUNDLE_IDENTIFIER_label(int index) {
    return index >= 0 && index < BUNDLE_GUARD_CLASSES ? LABELS[index] : NULL;
}

void BUNDLE_IDENTIFIER_close(BUNDLE_IDENTIFIER_model *model) {
    if (model == NULL) {
        return;
    }
    model->api->ReleaseSession(model->session);
    model->api->ReleaseMemoryInfo(model->memory);
    model->api->ReleaseEnv(model->env);
    free(model);
}

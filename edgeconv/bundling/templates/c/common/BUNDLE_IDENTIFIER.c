#ifndef _WIN32
#define _POSIX_C_SOURCE 200112L /* setenv */
#endif

#include "BUNDLE_IDENTIFIER_file.h"
#include "BUNDLE_IDENTIFIER_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef BUNDLE_IDENTIFIER_complaint complaint;

static const OrtApi *find_api(complaint why) {
    const OrtApiBase *base = OrtGetApiBase();
    const OrtApi *api = base->GetApi(ORT_API_VERSION);
    if (api == NULL) {
        BUNDLE_IDENTIFIER_fail(why,
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

static bool done(const OrtApi *api, OrtStatus *status, const char *step, complaint why) {
    return BUNDLE_IDENTIFIER_done(api, status, step, why);
}

/* One thread in sequence: the fastest for one input through a small model. */
static bool configure(const OrtApi *api, OrtSessionOptions *options, complaint why) {
    return done(api, api->SetIntraOpNumThreads(options, 1), "take one thread", why) &&
           done(api, api->SetInterOpNumThreads(options, 1), "take one thread", why) &&
           done(api, api->SetSessionExecutionMode(options, ORT_SEQUENTIAL), "run in sequence", why) &&
           /* Errors come back as words; nothing is printed beside them. */
           done(api, api->SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_FATAL), "log less", why) &&
           /* Sums of int8 products overflow on x86 processors without VNNI otherwise. */
           done(api, api->AddSessionConfigEntry(options, "session.x64quantprecision", "1"), "be exact", why);
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
        BUNDLE_IDENTIFIER_check(model, why);
    api->ReleaseSessionOptions(options);
    return started;
}

BUNDLE_IDENTIFIER_model *BUNDLE_IDENTIFIER_open_memory(
    const void *bytes, size_t size, char *error, size_t error_size) {
    const complaint why = {error, error_size};
    if (bytes == NULL || size == 0) {
        BUNDLE_IDENTIFIER_fail(why, "The bytes of BUNDLE_MODEL_FILE are required. Received: none.");
        return NULL;
    }
    const OrtApi *api = find_api(why);
    if (api == NULL) {
        return NULL;
    }
    BUNDLE_IDENTIFIER_model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        BUNDLE_IDENTIFIER_fail(why, "%zu bytes of memory are required. Received: none.", sizeof *model);
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
        BUNDLE_IDENTIFIER_fail(why, "The path of BUNDLE_MODEL_FILE is required. Received: NULL.");
        return NULL;
    }
    const char *reason;
    FILE *file = BUNDLE_IDENTIFIER_open_file(path, &reason);
    size_t size = 0;
    uint8_t *bytes = NULL;
    if (file != NULL) {
        errno = 0;
        bytes = read_all(file, &size);
        reason = strerror(errno);
        fclose(file);
    }
    if (bytes == NULL) {
        BUNDLE_IDENTIFIER_fail(why, "`%s` must be the model's file. Received: %s.", path, reason);
        return NULL;
    }
    BUNDLE_IDENTIFIER_model *model = BUNDLE_IDENTIFIER_open_memory(bytes, size, error, error_size);
    free(bytes);
    return model;
}

static bool wrap(
    const BUNDLE_IDENTIFIER_model *model, const BUNDLE_IDENTIFIER_array *array, OrtValue **out, complaint why) {
    static uint8_t nothing; /* where an array has no numbers */
    void *data = array->size == 0 ? &nothing : array->data;
    if (data == NULL || array->axes > BUNDLE_GUARD_MOST_AXES) {
        return BUNDLE_IDENTIFIER_fail(why, "An input must have data and at most %d axes. Received: %s and %zu.",
            BUNDLE_GUARD_MOST_AXES, data == NULL ? "none" : "data", array->axes);
    }
    /* ONNX Runtime only reads the data; its signature has no const for it. */
    return done(model->api,
        model->api->CreateTensorWithDataAsOrtValue(model->memory, data, array->size, array->shape, array->axes,
            (ONNXTensorElementDataType)array->type, out),
        "take an input", why);
}

static bool copy(const OrtApi *api, OrtValue *value, BUNDLE_IDENTIFIER_array *out, complaint why) {
    OrtTensorTypeAndShapeInfo *info = NULL;
    void *data = NULL;
    const bool described =
        done(api, api->GetTensorTypeAndShape(value, &info), "describe an output", why) &&
        BUNDLE_IDENTIFIER_describe(api, info, out, why) &&
        done(api, api->GetTensorSizeInBytes(value, &out->size), "measure an output", why) &&
        done(api, api->GetTensorMutableData(value, &data), "show an output", why);
    api->ReleaseTensorTypeAndShapeInfo(info);
    if (!described) {
        return false;
    }
    out->data = malloc(out->size > 0 ? out->size : 1);
    if (out->data == NULL) {
        return BUNDLE_IDENTIFIER_fail(why, "%zu bytes of memory are required. Received: none.", out->size);
    }
    memcpy(out->data, data, out->size);
    return true;
}

bool BUNDLE_IDENTIFIER_run(const BUNDLE_IDENTIFIER_model *model, const BUNDLE_IDENTIFIER_array *inputs,
    BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size) {
    const complaint why = {error, error_size};
    if (model == NULL || inputs == NULL || outputs == NULL) {
        return BUNDLE_IDENTIFIER_fail(why, "A model, inputs and room for outputs are required. Received: NULL.");
    }
    OrtValue *in[BUNDLE_GUARD_INPUTS] = {NULL}, *out[BUNDLE_GUARD_OUTPUTS] = {NULL};
    bool ran = true;
    for (size_t i = 0; i < BUNDLE_GUARD_INPUTS && ran; i++) {
        ran = wrap(model, &inputs[i], &in[i], why);
    }
    ran = ran && done(model->api,
                     model->api->Run(model->session, NULL, model->inputs, (const OrtValue *const *)in,
                         BUNDLE_GUARD_INPUTS, model->outputs, BUNDLE_GUARD_OUTPUTS, out),
                     "run the model", why);
    memset(outputs, 0, BUNDLE_GUARD_OUTPUTS * sizeof *outputs);
    for (size_t i = 0; i < BUNDLE_GUARD_OUTPUTS && ran; i++) {
        ran = copy(model->api, out[i], &outputs[i], why);
    }
    for (size_t i = 0; i < BUNDLE_GUARD_INPUTS; i++) {
        model->api->ReleaseValue(in[i]);
    }
    for (size_t i = 0; i < BUNDLE_GUARD_OUTPUTS; i++) {
        model->api->ReleaseValue(out[i]);
    }
    if (!ran) {
        BUNDLE_IDENTIFIER_free_arrays(outputs, BUNDLE_GUARD_OUTPUTS);
    }
    return ran;
}

void BUNDLE_IDENTIFIER_free_arrays(BUNDLE_IDENTIFIER_array *arrays, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(arrays[i].data);
        arrays[i] = (BUNDLE_IDENTIFIER_array){0};
    }
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

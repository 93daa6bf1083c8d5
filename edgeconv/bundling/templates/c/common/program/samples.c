#include "samples.h"

#include "../BUNDLE_IDENTIFIER_file.h"
#include "numbers.h"

#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 3,
    /* A larger array is a sign of a damaged file, not of a self-test. */
    MOST_BYTES = 1 << 28
};

static const uint32_t FINGERPRINT = BUNDLE_FINGERPRINT;

static bool take(samples *from, void *to, size_t size) {
    return fread(to, 1, size, from->file) == size;
}

/* Bytes of a number, the lowest first. */
static bool take_number(samples *from, uint64_t *to, size_t size) {
    uint8_t bytes[8];
    *to = 0;
    if (!take(from, bytes, size)) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        *to |= (uint64_t)bytes[i] << 8 * i;
    }
    return true;
}

static bool take_double(samples *from, double *to) {
    uint64_t bits;
    if (!take_number(from, &bits, 8)) {
        return false;
    }
    memcpy(to, &bits, sizeof bits);
    return true;
}

static bool take_limit(samples *from, limit *to) {
    uint64_t cell;
    if (!take_double(from, &to->largest) || !take_double(from, &to->spared) || !take_number(from, &cell, 8)) {
        return false;
    }
    to->cell = (size_t)cell;
    return to->largest >= 0 && to->spared >= 0 && to->spared < 1 && cell >= 1 && cell <= MOST_BYTES;
}

static bool take_header(samples *from) {
    char magic[8];
    uint64_t numbers[4];
    if (!take(from, magic, sizeof magic) || memcmp(magic, "EDGECONV", sizeof magic) != 0) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        if (!take_number(from, &numbers[i], 4)) {
            return false;
        }
    }
    from->count = (uint32_t)numbers[2];
    for (int i = 0; i < BUNDLE_GUARD_OUTPUTS && numbers[3] == BUNDLE_GUARD_OUTPUTS; i++) {
        if (!take_limit(from, &from->limits[i])) {
            return false;
        }
    }
    return numbers[0] == VERSION && numbers[1] == FINGERPRINT && from->count > 0 && numbers[3] == BUNDLE_GUARD_OUTPUTS;
}

bool open_samples(const char *path, samples *out, char *error, size_t error_size) {
    const char *reason;
    *out = (samples){.file = BUNDLE_IDENTIFIER_open_file(path, &reason)};
    if (out->file == NULL) {
        snprintf(error, error_size, "`%s` must be the samples of a self-test. Received: %s.", path, reason);
        return false;
    }
    if (!take_header(out)) {
        snprintf(error, error_size,
            "`%s` must be the samples of a self-test of this model, version %d. Received: another file, or a "
            "damaged one.",
            path, VERSION);
        return false;
    }
    return true;
}

static bool take_array(samples *from, BUNDLE_IDENTIFIER_array *out) {
    uint64_t type, axes, padding;
    if (!take_number(from, &type, 4) || !take_number(from, &axes, 4) || axes > BUNDLE_GUARD_MOST_AXES ||
        number_size((int)type) == 0) {
        return false;
    }
    out->type = (int)type;
    out->axes = (size_t)axes;
    out->size = number_size((int)type);
    for (size_t axis = 0; axis < axes; axis++) {
        uint64_t size;
        if (!take_number(from, &size, 8) || (size > 0 && out->size > MOST_BYTES / size)) {
            return false;
        }
        out->shape[axis] = (int64_t)size;
        out->size *= (size_t)size;
    }
    out->data = malloc(out->size > 0 ? out->size : 1);
    return out->data != NULL && take(from, out->data, out->size) && take_number(from, &padding, (8 - out->size % 8) % 8);
}

static void free_sample(sample *out) {
    BUNDLE_IDENTIFIER_free_arrays(out->inputs, BUNDLE_GUARD_INPUTS);
    BUNDLE_IDENTIFIER_free_arrays(out->outputs, BUNDLE_GUARD_OUTPUTS);
}

static bool take_sample(samples *from, sample *out) {
    uint64_t label;
    free_sample(out);
    if (!take_number(from, &label, 8) || (label > INT32_MAX && label != UINT64_MAX)) {
        return false;
    }
    out->label = label == UINT64_MAX ? -1 : (int)label;
    for (int i = 0; i < BUNDLE_GUARD_INPUTS; i++) {
        if (!take_array(from, &out->inputs[i])) {
            return false;
        }
    }
    for (int i = 0; i < BUNDLE_GUARD_OUTPUTS; i++) {
        BUNDLE_IDENTIFIER_array *array = &out->outputs[i];
        if (!take_array(from, array) || array->size / number_size(array->type) % from->limits[i].cell != 0) {
            return false;
        }
    }
    return true;
}

samples_state next_sample(samples *from, sample *out, char *error, size_t error_size) {
    if (from->read == from->count && fgetc(from->file) == EOF && !ferror(from->file)) {
        return SAMPLES_ENDED;
    }
    if (from->read == from->count || !take_sample(from, out)) {
        snprintf(error, error_size,
            "The self-test must have %u whole samples. Received: a damaged file, at sample %u. Get a new copy.",
            (unsigned)from->count, (unsigned)from->read);
        return SAMPLES_DAMAGED;
    }
    from->read++;
    return SAMPLE_READ;
}

void close_samples(samples *from, sample *last) {
    if (from->file != NULL) {
        fclose(from->file);
    }
    from->file = NULL;
    free_sample(last);
}

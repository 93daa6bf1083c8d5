#include "npy.h"

#include "../BUNDLE_IDENTIFIER_file.h"
#include "numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_HEADER = 1 << 16
};

/* numpy's letters of types, in the order of ONNX' numbers. */
static const char *const TYPES[] = {
    "", "<f4", "|u1", "|i1", "<u2", "<i2", "<i4", "<i8", "", "|b1", "<f2", "<f8", "<u4", "<u8"};

/* The value behind a key of the header, which is a dict of Python: {'descr': '<f4', 'fortran_order': False, ...}. */
static const char *value_of(const char *header, const char *key) {
    const char *at = strstr(header, key);
    at = at == NULL ? NULL : strchr(at, ':');
    return at == NULL ? NULL : at + 1 + strspn(at + 1, " ");
}

static bool take_type(const char *header, BUNDLE_IDENTIFIER_array *out) {
    const char *letters = value_of(header, "'descr'");
    for (int type = 1; letters != NULL && type < (int)(sizeof TYPES / sizeof *TYPES); type++) {
        if (TYPES[type][0] != 0 && strncmp(letters + 1, TYPES[type], 3) == 0 && letters[4] == '\'') {
            out->type = type;
        }
    }
    return out->type != 0;
}

static bool take_shape(const char *header, BUNDLE_IDENTIFIER_array *out) {
    const char *order = value_of(header, "'fortran_order'"), *shape = value_of(header, "'shape'");
    if (order == NULL || strncmp(order, "False", 5) != 0 || shape == NULL || *shape != '(') {
        return false;
    }
    size_t count = 1;
    for (const char *at = shape + 1; *at != ')';) {
        char *end = NULL;
        const long long size = strtoll(at, &end, 10);
        if (end == at || size < 0 || out->axes == BUNDLE_GUARD_MOST_AXES ||
            (size > 0 && count > PTRDIFF_MAX / 8 / (size_t)size)) {
            return false;
        }
        out->shape[out->axes++] = size;
        count *= (size_t)size;
        at = end + strspn(end, ", ");
    }
    out->size = count * number_size(out->type);
    return true;
}

static bool take_header(FILE *file, BUNDLE_IDENTIFIER_array *out) {
    uint8_t start[12];
    if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 || start[6] > 3) {
        return false;
    }
    size_t size = start[8] | (size_t)start[9] << 8;
    if (start[6] > 1) {
        if (fread(start + 10, 1, 2, file) != 2) {
            return false;
        }
        size |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    }
    char *header = size < MOST_HEADER ? calloc(1, size + 1) : NULL;
    const bool taken = header != NULL && fread(header, 1, size, file) == size && take_type(header, out) &&
                       take_shape(header, out);
    free(header);
    return taken;
}

bool read_npy(const char *path, BUNDLE_IDENTIFIER_array *out, char *error, size_t error_size) {
    *out = (BUNDLE_IDENTIFIER_array){0};
    const char *reason;
    FILE *file = BUNDLE_IDENTIFIER_open_file(path, &reason);
    if (file == NULL) {
        snprintf(error, error_size, "%s: an array is required. Received: %s.", path, reason);
        return false;
    }
    bool read = take_header(file, out);
    if (read) {
        out->data = malloc(out->size > 0 ? out->size : 1);
        read = out->data != NULL && fread(out->data, 1, out->size, file) == out->size && fgetc(file) == EOF;
    }
    fclose(file);
    if (!read) {
        BUNDLE_IDENTIFIER_free_arrays(out, 1);
        snprintf(error, error_size,
            "%s: an array as numpy.save writes it is required, in C order. Received: another file, or a damaged one.",
            path);
    }
    return read;
}

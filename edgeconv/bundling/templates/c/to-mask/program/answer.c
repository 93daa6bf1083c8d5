#include "answer.h"

#include "../BUNDLE_IDENTIFIER_answer.h"
#include "json.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Of a mask of one map there are two. */
    CLASSES = BUNDLE_GUARD_LABELS
};

/* "folder/cat.jpg" becomes "1-cat.mask.png", in the folder where the program runs; no two masks have one name. */
static void name_file(const char *path, char *out, size_t size) {
    static int saved;
    const char *base = path;
    for (const char *at = path; *at != 0; at++) {
        if (*at == '/' || *at == '\\') {
            base = at + 1;
        }
    }
    const char *dot = strrchr(base, '.');
    const int length = dot == NULL || dot == base ? (int)strlen(base) : (int)(dot - base);
    snprintf(out, size, "%d-%.*s.mask.png", ++saved, length, base);
}

/* Indices of classes as grey levels, of 16 bits where there are more than 256 classes. */
static bool write_png(const char *file, uint16_t *classes, size_t height, size_t width, char *error, size_t error_size) {
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .height = (png_uint_32)height,
        .width = (png_uint_32)width,
        .format = CLASSES <= 256 ? PNG_FORMAT_GRAY : PNG_FORMAT_LINEAR_Y};
    uint8_t *bytes = (uint8_t *)classes;
    for (size_t pixel = 0; pixel < height * width && CLASSES <= 256; pixel++) {
        bytes[pixel] = (uint8_t)classes[pixel];
    }
    if (png_image_write_to_file(&image, file, 0, classes, 0, NULL) == 0) {
        snprintf(error, error_size, "%s: the mask must be written. Received: %s.", file, image.message);
        return false;
    }
    return true;
}

bool print_answer(const char *path, const BUNDLE_IDENTIFIER_array *outputs, char *error, size_t error_size) {
    const BUNDLE_IDENTIFIER_array *mask = &outputs[0];
    const size_t height = (size_t)mask->shape[1], width = (size_t)mask->shape[2];
    size_t counts[CLASSES] = {0};
    char file[FILENAME_MAX];
    uint16_t *classes = calloc(height * width, sizeof *classes);
    if (classes == NULL) {
        snprintf(error, error_size, "Memory for %zu pixels is required. Received: none.", height * width);
        return false;
    }
    for (size_t pixel = 0; pixel < height * width; pixel++) {
        const int found = BUNDLE_IDENTIFIER_class_at(mask, pixel);
        classes[pixel] = (uint16_t)found;
        counts[found]++;
    }
    name_file(path, file, sizeof file);
    const bool written = write_png(file, classes, height, width, error, error_size);
    free(classes);
    if (!written) {
        return false;
    }
    printf("{\"path\": ");
    json_string(path);
    printf(", \"height\": %zu, \"width\": %zu, \"shares\": {", height, width);
    for (int index = 0; index < CLASSES; index++) {
        printf(index == 0 ? "" : ", ");
        json_string(BUNDLE_IDENTIFIER_label(index));
        printf(": ");
        json_number((double)counts[index] / (double)(height * width));
    }
    printf("}, \"file\": ");
    json_string(file);
    printf("}\n");
    return true;
}

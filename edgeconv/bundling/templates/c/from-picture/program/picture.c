#include "picture.h"

#include "../BUNDLE_IDENTIFIER_file.h"
#include "decoders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAGIC_SIZE = 8,
    /* Of the TIFF structure inside EXIF data. */
    HEADER_SIZE = 8,
    ENTRY_SIZE = 12,
    ORIENTATION = 0x0112,
    SHORT = 3
};

static const uint8_t PNG_MAGIC[MAGIC_SIZE] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
static const uint8_t JPEG_MAGIC[] = {0xff, 0xd8, 0xff};

/* Reads a TIFF number of `size` bytes; `big` is its order of bytes. */
static uint32_t number(const uint8_t *bytes, int size, bool big) {
    uint32_t value = 0;
    for (int i = 0; i < size; i++) {
        value = value << 8 | bytes[big ? i : size - 1 - i];
    }
    return value;
}

int exif_orientation(const uint8_t *tiff, size_t size) {
    if (size < HEADER_SIZE || (memcmp(tiff, "II*\0", 4) != 0 && memcmp(tiff, "MM\0*", 4) != 0)) {
        return 1;
    }
    const bool big = tiff[0] == 'M';
    const size_t directory = number(tiff + 4, 4, big);
    if (directory > size - 2) {
        return 1;
    }
    const size_t room = (size - directory - 2) / ENTRY_SIZE;
    const size_t stated = number(tiff + directory, 2, big);
    for (size_t i = 0; i < stated && i < room; i++) {
        const uint8_t *entry = tiff + directory + 2 + i * ENTRY_SIZE;
        if (number(entry, 2, big) == ORIENTATION && number(entry + 2, 2, big) == SHORT) {
            const uint32_t orientation = number(entry + 8, 2, big);
            return orientation >= 1 && orientation <= 8 ? (int)orientation : 1;
        }
    }
    return 1;
}

/* Turns the picture upright: orientations as in CIPA DC-008, section 4.6.5. */
static bool turn_upright(decoding *job) {
    const int orientation = job->orientation;
    const picture lying = job->result;
    const bool transposed = orientation >= 5;
    const bool bottom_up = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const bool right_to_left = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    if (orientation == 1) {
        return true;
    }
    job->result.height = transposed ? lying.width : lying.height;
    job->result.width = transposed ? lying.height : lying.width;
    job->result.pixels = malloc(lying.height * lying.width * lying.channels);
    const bool room = job->result.pixels != NULL;
    if (!room) {
        snprintf(job->error, job->error_size, "%zux%zu pixels do not fit into memory", lying.width, lying.height);
    } else {
        uint8_t *to = job->result.pixels;
        for (size_t row = 0; row < job->result.height; row++) {
            for (size_t column = 0; column < job->result.width; column++) {
                size_t y = transposed ? column : row;
                size_t x = transposed ? row : column;
                y = bottom_up ? lying.height - 1 - y : y;
                x = right_to_left ? lying.width - 1 - x : x;
                memcpy(to, lying.pixels + (y * lying.width + x) * lying.channels, lying.channels);
                to += lying.channels;
            }
        }
    }
    free(lying.pixels);
    return room;
}

static bool decode(decoding *job) {
    uint8_t magic[MAGIC_SIZE];
    const size_t size = fread(magic, 1, MAGIC_SIZE, job->file);
    if (ferror(job->file)) {
        snprintf(job->error, job->error_size, "%s", strerror(errno));
        return false;
    }
    rewind(job->file);
    if (size == MAGIC_SIZE && memcmp(magic, PNG_MAGIC, sizeof PNG_MAGIC) == 0) {
        return decode_png(job);
    }
    if (size >= sizeof JPEG_MAGIC && memcmp(magic, JPEG_MAGIC, sizeof JPEG_MAGIC) == 0) {
        return decode_jpeg(job);
    }
    snprintf(job->error, job->error_size, "%s", size == 0 ? "the file is empty" : "it begins otherwise");
    return false;
}

bool read_picture(const char *path, picture *out, char *error, size_t error_size) {
    char reason[256] = "";
    decoding job = {.orientation = 1, .error = reason, .error_size = sizeof reason};
    const char *absent;
    job.file = BUNDLE_IDENTIFIER_open_file(path, &absent);
    bool read = false;
    if (job.file == NULL) {
        snprintf(reason, sizeof reason, "%s", absent);
    } else {
        read = decode(&job) && turn_upright(&job);
        fclose(job.file);
    }
    free(job.sums);
    free(job.decoded);
    if (!read) {
        free_picture(&job.result);
        snprintf(error, error_size, "%s: a PNG or JPEG picture is required. Received: %s.", path, reason);
    }
    *out = job.result;
    return read;
}

void free_picture(picture *out) {
    free(out->pixels);
    *out = (picture){0};
}

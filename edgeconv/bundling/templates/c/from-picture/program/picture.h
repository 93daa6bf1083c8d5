/* Reads a PNG or JPEG file into raw pixels, upright as its EXIF data says. */
#ifndef PICTURE_INCLUDED
#define PICTURE_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* A larger picture is refused before any of its pixels is decoded, */
    PICTURE_MOST_PIXELS = 89478485,
    PICTURE_MOST_SIDE = 65535,
    /* and one whose decoder would take more bytes. */
    PICTURE_MOST_BYTES = 400000000
};

/* `pixels` are (height, width, channels), 0 to 255; channels are 1 (grey), 3 (RGB) or 4 (RGB and
 * straight alpha). */
typedef struct {
    uint8_t *pixels;
    size_t height, width, channels;
} picture;

/* Reads a file. Where the model's preparation of a picture would take too much memory, it is scaled down by a whole
 * factor while it is read: each pixel is the mean of a square. What it is is told from its first bytes. Where that fails, `out` is empty and the
 * reason is in `error`. */
bool read_picture(const char *path, picture *out, char *error, size_t error_size);

void free_picture(picture *out);

#endif

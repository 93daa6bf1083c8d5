/* What the two decoders of picture.c have in common. */
#ifndef DECODERS_INCLUDED
#define DECODERS_INCLUDED

#include "picture.h"

#include <stdio.h>

/* A picture while it is decoded. The decoders' errors jump back over their own functions: what has
 * to be freed then is kept here, where no jump loses it. */
typedef struct {
    FILE *file;
    picture result;
    size_t height, width, rows; /* of what is decoded, and how many rows of it were taken */
    size_t factor;              /* by which it is scaled down */
    uint64_t *sums;             /* of a row of the result, while its rows are taken */
    uint8_t *decoded;           /* for the decoder's own use */
    int orientation;            /* of EXIF, 1 to 8 */
    char *error;
    size_t error_size;
} decoding;

bool decode_png(decoding *job);
bool decode_jpeg(decoding *job);

/* Refuses a picture that is too large. */
bool check_size(decoding *job, size_t height, size_t width);

/* Refuses what would take a decoder so many bytes. */
bool check_bytes(decoding *job, size_t bytes);

/* By how much a picture has to be scaled down. */
size_t scale_factor(size_t height, size_t width, size_t channels);

/* Makes room for the pixels, and for what the decoder wants; then the rows are taken, one after the other. */
bool make_room(decoding *job, size_t height, size_t width, size_t channels, size_t decoded);
void take_row(decoding *job, const uint8_t *row);

/* The orientation that EXIF data state, 1 where they state none; `size` bytes from the TIFF header on. */
int exif_orientation(const uint8_t *tiff, size_t size);

#endif

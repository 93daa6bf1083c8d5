#include "json.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The bytes of the UTF-8 character that `text` begins with; 0 where it begins with none (RFC 3629, section 4). */
static size_t character_size(const uint8_t *text) {
    const uint8_t lead = text[0];
    size_t size = 4;
    if (lead < 0x80) {
        size = 1;
    } else if (lead < 0xc2 || lead > 0xf4) {
        size = 0;
    } else if (lead < 0xe0) {
        size = 2;
    } else if (lead < 0xf0) {
        size = 3;
    }
    for (size_t i = 1; i < size; i++) {
        if (text[i] < 0x80 || text[i] > 0xbf) {
            return 0;
        }
    }
    /* Overlong forms, halves of surrogate pairs, and what is beyond U+10FFFF. */
    const bool wrong = (lead == 0xe0 && text[1] < 0xa0) || (lead == 0xed && text[1] > 0x9f) ||
                       (lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] > 0x8f);
    return wrong ? 0 : size;
}

void json_string(const char *text) {
    putchar('"');
    for (const uint8_t *at = (const uint8_t *)text; *at != 0;) {
        const size_t size = character_size(at);
        if (size == 0) {
            printf("\\ufffd");
        } else if (*at < 0x20) {
            printf("\\u%04x", *at);
        } else {
            if (*at == '"' || *at == '\\') {
                putchar('\\');
            }
            fwrite(at, 1, size, stdout);
        }
        at += size == 0 ? 1 : size;
    }
    putchar('"');
}

void json_number(double value) {
    if (isfinite(value)) {
        printf("%.9g", value);
    } else {
        printf("null");
    }
}

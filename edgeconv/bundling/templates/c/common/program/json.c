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

static uint32_t code_point(const uint8_t *text, size_t size) {
    static const uint8_t LEADS[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    if (size == 0) {
        return 0xfffd;
    }
    uint32_t code = text[0] & LEADS[size];
    for (size_t i = 1; i < size; i++) {
        code = code << 6 | (text[i] & 0x3f);
    }
    return code;
}

/* Whether a character steers a terminal, turns the order of letters, or ends a line. */
static bool steers(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x061c || code == 0x200b ||
           code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code >= 0xe0000 && code <= 0xe007f);
}

/* As JSON escapes it: \u001b, and \ud83d\ude00 beyond U+FFFF. */
static void print_escaped(FILE *out, uint32_t code) {
    if (code > 0xffff) {
        fprintf(out, "\\u%04x", (unsigned)(0xd7c0 + (code >> 10)));
        code = 0xdc00 | (code & 0x3ff);
    }
    fprintf(out, "\\u%04x", (unsigned)code);
}

void json_string(const char *text) {
    putchar('"');
    for (const uint8_t *at = (const uint8_t *)text; *at != 0;) {
        const size_t size = character_size(at);
        if (*at == '"' || *at == '\\') {
            printf("\\%c", *at);
        } else if (*at < 0x20 || *at >= 0x7f) {
            print_escaped(stdout, code_point(at, size));
        } else {
            putchar(*at);
        }
        at += size == 0 ? 1 : size;
    }
    putchar('"');
}

void print_words(const char *text) {
    for (const uint8_t *at = (const uint8_t *)text; *at != 0;) {
        const size_t size = character_size(at);
        const uint32_t code = code_point(at, size);
        if (size == 0 || steers(code)) {
            print_escaped(stderr, code);
        } else {
            fwrite(at, 1, size, stderr);
        }
        at += size == 0 ? 1 : size;
    }
}

int complain(const char *error) {
    fprintf(stderr, "Error: ");
    print_words(error);
    fprintf(stderr, "\n");
    return 1;
}

int check_stdout(void) {
    const bool written = fflush(stdout) == 0 && ferror(stdout) == 0;
    return written ? 0 : complain("stdout cannot be written to");
}

void json_number(double value) {
    if (isfinite(value)) {
        printf("%.9g", value);
    } else {
        printf("null");
    }
}

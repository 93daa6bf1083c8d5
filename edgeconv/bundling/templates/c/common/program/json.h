/* Writes JSON to stdout, and words to stderr; what steers a terminal is escaped in both. */
#ifndef JSON_INCLUDED
#define JSON_INCLUDED

/* Text between quotes, in ASCII; bytes that are no UTF-8 become U+FFFD. */
void json_string(const char *text);

/* One number; null for what is not finite. */
void json_number(double value);

/* Words on stderr. */
void print_words(const char *text);

/* "Error: ..." on a line of stderr; 1, the exit code. */
int complain(const char *error);

/* Writes what is still to be written; 0, or 1 where some of it could not be, and then says so. */
int check_stdout(void);

#endif

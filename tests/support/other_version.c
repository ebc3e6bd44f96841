/* Stands in for another version of the program in a binary upgrade: what it is given is changed as another
 * version might have written it, then the real program, FILE.real beside this one, takes over.
 *
 * The counts get a version that nobody knows. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char known[] = "13:trivet counts1:";

static int changed(int from) {
  struct stat about;
  if (fstat(from, &about) != 0) return -1;
  const size_t size = (size_t)about.st_size;
  char* const bytes = malloc(size);
  if (bytes == NULL || pread(from, bytes, size, 0) != about.st_size) return -1;
  char* const counts = memmem(bytes, size, known, sizeof known - 1);
  if (counts != NULL) counts[sizeof known - 3] = '9';
  const int to = memfd_create("trivet-inheritance", 0);
  if (write(to, bytes, size) != about.st_size) return -1;
  free(bytes);
  close(from);
  return to;
}

int main(int argc, char** argv) {
  (void)argc;
  char path[PATH_MAX + 8] = {0};
  const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
  if (length <= 0) return 1;
  memcpy(path + length, ".real", sizeof ".real");
  const char* const given = getenv("TRIVET_INHERITANCE");
  if (given != NULL) {
    char number[16];
    snprintf(number, sizeof number, "%d", changed((int)strtol(given, NULL, 10)));
    setenv("TRIVET_INHERITANCE", number, 1);
  }
  execv(path, argv);
  return 1;
}

/* For LD_PRELOAD: one allocation of a Trivet worker fails, the n-th from when the file named by
 * FAILING_ALLOCATIONS, which is mapped, says so: two numbers of 32 bits, how many more succeed (negative:
 * all), and how many have failed. The file is shared by all workers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

struct control {
  int left;
  int failed;
};
static struct control* control;

/* Before main(); whoever is not a worker fails nothing. */
__attribute__((constructor)) static void open_control(void) {
  const char* name = getenv("FAILING_ALLOCATIONS");
  char words[64] = {0};
  const int line = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  const ssize_t got = line < 0 ? 0 : read(line, words, sizeof words - 1);
  if (line >= 0) close(line);
  const char* second = words + strlen(words) + 1;
  if (name == NULL || got <= 0 || second >= words + got || strcmp(second, "worker") != 0) return;
  const int file = open(name, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void* at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (at != MAP_FAILED) control = at;
}

static int fails(void) {
  if (control == NULL || __atomic_load_n(&control->left, __ATOMIC_RELAXED) < 0) return 0;
  if (__atomic_fetch_sub(&control->left, 1, __ATOMIC_RELAXED) != 0) return 0;
  __atomic_fetch_add(&control->failed, 1, __ATOMIC_RELAXED);
  errno = ENOMEM;
  return 1;
}

void* malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void* realloc(void* memory, size_t size) { return fails() ? NULL : __libc_realloc(memory, size); }
void* memalign(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }
void* aligned_alloc(size_t alignment, size_t size) {
  return fails() ? NULL : __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  void* const got = fails() ? NULL : __libc_memalign(alignment, size);
  if (got == NULL) return ENOMEM;
  *memory = got;
  return 0;
}

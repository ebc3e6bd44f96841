#include <trivet/abi.h>

/* An authorizer in C that returns without saying anything: neither allow nor deny. */

TRIVET_NOTE(
    "{\"name\":\"silent\",\"version\":\"1.0.0\",\"abi\":\"0.3\",\"roles\":[\"authorizer\"],"
    "\"flags\":[\"never_blocks\"],\"sdk\":\"c\"}");

static trivet_status check(void* self, trivet_request* request) {
  (void)self;
  (void)request;
  return TRIVET_OK;
}

static const trivet_authorizer authorizer = {.size = sizeof authorizer, .check = check};

TRIVET_EXPORT const trivet_plugin TRIVET_ENTRY_SYMBOL = {
    .magic = TRIVET_ABI_MAGIC,
    .size = sizeof(trivet_plugin),
    .abi_major = TRIVET_ABI_MAJOR,
    .abi_minor = TRIVET_ABI_MINOR,
    .flags = TRIVET_NEVER_BLOCKS,
    .name = {"silent", 6},
    .version = {"1.0.0", 5},
    .authorizer = &authorizer,
};

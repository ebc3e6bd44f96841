#include <trivet/abi.h>

/* The contract read by a C compiler (C11, -Wpedantic): that this compiles is most of the test. */

TRIVET_NOTE("{\"name\":\"c\"}");

static trivet_status check(void* self, trivet_request* request) {
  const trivet_host* host = self;
  return host->allow(request);
}

static const trivet_authorizer authorizer = {.size = sizeof authorizer, .check = check};

const trivet_plugin* trivet_c_plugin(void);

const trivet_plugin* trivet_c_plugin(void) {
  static const trivet_plugin plugin = {.magic = TRIVET_ABI_MAGIC,
                                       .size = sizeof plugin,
                                       .abi_major = TRIVET_ABI_MAJOR,
                                       .abi_minor = TRIVET_ABI_MINOR,
                                       .name = {"c", 1},
                                       .version = {"1", 1},
                                       .authorizer = &authorizer};
  return &plugin;
}

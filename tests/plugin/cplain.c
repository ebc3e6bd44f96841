#include <trivet/abi.h>

/* The smallest plugin in plain C, of the first version of the contract, which has to go on loading: a
 * responder that says how it was asked. Also the material for plugins that are wrong in one place:
 * CMakeLists.txt builds it several times, with one of these set otherwise. */

#ifndef PLAIN_NOTE
#define PLAIN_NOTE                                                                        \
  "{\"name\":\"cplain\",\"version\":\"1.0.0\",\"abi\":\"0.1\",\"roles\":[\"responder\"]," \
  "\"flags\":[\"never_blocks\"],\"sdk\":\"c\"}"
#endif
#ifndef PLAIN_NAME
#define PLAIN_NAME "cplain"
#endif
#ifndef PLAIN_MAGIC
#define PLAIN_MAGIC TRIVET_ABI_MAGIC
#endif
#ifndef PLAIN_FLAGS
#define PLAIN_FLAGS TRIVET_NEVER_BLOCKS
#endif

#ifndef PLAIN_WITHOUT_NOTE
TRIVET_NOTE(PLAIN_NOTE);
#endif

static const trivet_host* the_host;

static trivet_status create(const trivet_host* host, const trivet_settings* settings, void** self) {
  (void)settings;
  the_host = host;
  *self = (void*)&the_host;
  return TRIVET_OK;
}

static void destroy(void* self) { (void)self; }

static trivet_status handle(void* self, trivet_request* request) {
  static const char type[] = "Content-Type";
  static const char plain[] = "text/plain";
  static const char variable[] = "REQUEST_METHOD";
  trivet_text method;
  trivet_status status = the_host->set_header(request, (trivet_text){type, sizeof type - 1},
                                              (trivet_text){plain, sizeof plain - 1});
  (void)self;
  if (status == TRIVET_OK) {
    status = the_host->param(request, (trivet_text){variable, sizeof variable - 1}, &method);
  }
  if (status == TRIVET_OK) status = the_host->write(request, method.ptr, method.len);
  if (status == TRIVET_OK) status = the_host->write(request, "\n", 1);
  return status;
}

static const trivet_responder responder = {.size = sizeof responder, .handle = handle};

#ifdef PLAIN_WITHOUT_ENTRY
/* Static, so that nothing is exported; used, so that it is still compiled. */
__attribute__((used)) static const trivet_plugin not_exported = {
#else
TRIVET_EXPORT const trivet_plugin TRIVET_ENTRY_SYMBOL = {
#endif
    .magic = PLAIN_MAGIC,
    .size = sizeof(trivet_plugin),
    .abi_major = TRIVET_ABI_MAJOR,
    .abi_minor = 1,
    .flags = PLAIN_FLAGS,
    .name = {PLAIN_NAME, sizeof PLAIN_NAME - 1},
    .version = {"1.0.0", 5},
    .create = create,
    .destroy = destroy,
    .responder = &responder,
};

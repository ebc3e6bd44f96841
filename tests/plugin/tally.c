#include <trivet/abi.h>

/* A responder in C that counts in the zone that its setting `zone` names: an entry of each query string,
 * which is forgotten after a minute, and a counter of all. Answers with the two numbers. */

TRIVET_NOTE(
    "{\"name\":\"tally\",\"version\":\"1.0.0\",\"abi\":\"0.3\",\"roles\":[\"responder\"],"
    "\"flags\":[\"never_blocks\",\"shared_instance\"],\"sdk\":\"c\"}");

struct tally {
  const trivet_host* host;
  trivet_zone* zone;
  trivet_counter* counter;
};
static struct tally the_tally; /* One instance. */

static const trivet_text name_of_setting = {"zone", 4};

static trivet_status create(const trivet_host* host, const trivet_settings* settings, void** self) {
  static const char no_zones[] = "needs a host with shared zones";
  trivet_value value;
  trivet_status status;
  if (host->size < offsetof(trivet_host, zones) + sizeof host->zones || host->zones == NULL) {
    host->setting_error(settings, name_of_setting, (trivet_text){no_zones, sizeof no_zones - 1});
    return TRIVET_E_FAILED;
  }
  status = host->setting(settings, name_of_setting, &value);
  if (status == TRIVET_OK && value.type != TRIVET_TYPE_TEXT) status = TRIVET_E_ARGUMENT;
  if (status == TRIVET_OK) status = host->zones->open(settings, name_of_setting, value.text, &the_tally.zone);
  if (status == TRIVET_OK) {
    status = host->zones->counter(the_tally.zone, (trivet_text){"all", 3}, &the_tally.counter);
  }
  the_tally.host = host;
  *self = &the_tally;
  return status;
}

static void destroy(void* self) { (void)self; }

static size_t write_number(char* end, int64_t number) {
  size_t size = 0;
  do {
    *--end = (char)('0' + number % 10);
    ++size;
    number /= 10;
  } while (number > 0);
  return size;
}

static trivet_status write(const trivet_host* host, trivet_request* request, int64_t number, char behind) {
  char text[24];
  size_t size;
  text[sizeof text - 1] = behind;
  size = write_number(text + sizeof text - 1, number) + 1;
  return host->write(request, text + sizeof text - size, size);
}

static trivet_status handle(void* self, trivet_request* request) {
  const struct tally* tally = self;
  const trivet_host* host = tally->host;
  const uint64_t minute = UINT64_C(60000000000);
  trivet_text query = {NULL, 0};
  int64_t sum = 0;
  trivet_status status = host->param(request, (trivet_text){"QUERY_STRING", 12}, &query);
  if (status == TRIVET_E_ABSENT) status = TRIVET_OK;
  if (status == TRIVET_OK) {
    status = host->zones->add(tally->zone, query, 1, minute, TRIVET_ZONE_EVICT, &sum);
  }
  if (status == TRIVET_OK) status = write(host, request, sum, ' ');
  if (status == TRIVET_OK) {
    status = write(host, request, host->zones->counter_add(tally->counter, 1), '\n');
  }
  return status;
}

static const trivet_responder responder = {.size = sizeof responder, .handle = handle};

TRIVET_EXPORT const trivet_plugin TRIVET_ENTRY_SYMBOL = {
    .magic = TRIVET_ABI_MAGIC,
    .size = sizeof(trivet_plugin),
    .abi_major = TRIVET_ABI_MAJOR,
    .abi_minor = TRIVET_ABI_MINOR,
    .flags = TRIVET_NEVER_BLOCKS | TRIVET_SHARED_INSTANCE,
    .name = {"tally", 5},
    .version = {"1.0.0", 5},
    .create = create,
    .destroy = destroy,
    .responder = &responder,
};

/* The binary contract between Trivet and a plugin. C11; also valid C++.
 *
 * Plugin authors in C++ include <trivet/plugin.hpp> instead, which is written on top of this page alone.
 *
 * A plugin is a shared object that exports one constant, TRIVET_ENTRY_SYMBOL, of type trivet_plugin, and
 * carries one ELF note (section .note.trivet, owner "Trivet", type TRIVET_NOTE_TYPE) whose description is
 * JSON text that says the same about it, so that tools can read it without running its code.
 *
 * Growth    Version 0 is not frozen, but a host loads plugins of every minor version from
 * TRIVET_ABI_OLDEST_MINOR on up to its own. Structs only grow at their end; each begins with its size as its
 * maker knows it, and whoever reads it looks at no member beyond that size. Members are never reordered,
 * retyped or reused. Unknown enum values are errors. What came later says so: "since 0.2".
 * Memory    Whoever passes memory owns it. Nothing is freed across this page. Texts are pointer and length,
 * never terminated by NUL; a length of 0 may come with a null pointer. Threads   Each function says where it
 * may be called: [startup] the thread that starts the host, before any request; [call] inside a hook that was
 * given the request, on the same thread; [any] anywhere. An instance (`self`) is never entered by two threads
 * at once unless TRIVET_SHARED_INSTANCE is set. Errors    Functions give TRIVET_OK or a negative
 * trivet_status. Nothing may be thrown across this page. A hook that gives anything but TRIVET_OK has failed:
 * a responder or filter then ends with 500 (or is cut short if its head went out), an authorizer denies with
 * 500.
 */
#ifndef TRIVET_ABI_H
#define TRIVET_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRIVET_ABI_MAGIC 0x54525654u /* "TRVT" */
#define TRIVET_ABI_MAJOR 0
#define TRIVET_ABI_MINOR 3
#define TRIVET_ABI_OLDEST_MINOR 1 /* what a host of this version still loads */
#define TRIVET_ENTRY_SYMBOL trivet_plugin_v0
#define TRIVET_ENTRY_NAME "trivet_plugin_v0"
#define TRIVET_NOTE_OWNER "Trivet"
#define TRIVET_NOTE_TYPE 0x54520001u

typedef int32_t trivet_status;
enum {
  TRIVET_OK = 0,
  TRIVET_E_ABSENT = -1,    /* there is no such parameter, setting or field */
  TRIVET_E_CANCELLED = -2, /* the client is gone, the request was aborted or timed out: return soon */
  TRIVET_E_ARGUMENT = -3,  /* the value is not allowed; nothing was changed, the reason was logged */
  TRIVET_E_STATE = -4, /* not now: the head went out already, the wrong role, a read that could not wait */
  TRIVET_E_LIMIT = -5, /* a bound of the configuration was met */
  TRIVET_E_FAILED = -6 /* what a hook gives when it failed; trivet_host.fail says why */
};

typedef struct trivet_text {
  const char* ptr;
  size_t len;
} trivet_text;

typedef struct trivet_param {
  trivet_text name;
  trivet_text value;
} trivet_param;

typedef struct trivet_request trivet_request;   /* one request, in one plugin; the host's */
typedef struct trivet_settings trivet_settings; /* the plugin's own settings; the host's */

typedef uint32_t trivet_role;
enum { TRIVET_ROLE_RESPONDER = 1, TRIVET_ROLE_AUTHORIZER = 2, TRIVET_ROLE_FILTER = 3 };

/* Which of its three questions Apache asks an authorizer (FCGI_APACHE_ROLE); none for other requests. */
typedef uint32_t trivet_phase;
enum {
  TRIVET_PHASE_NONE = 0,
  TRIVET_PHASE_ACCESS_CHECKER = 1, /* may anybody come in? nobody is known yet */
  TRIVET_PHASE_AUTHENTICATOR = 2,  /* is this REMOTE_USER's password REMOTE_PASSWD? */
  TRIVET_PHASE_AUTHORIZER = 3      /* may REMOTE_USER, who is verified, come in? */
};

/* How a stream of input ended; 0 while it goes on. */
typedef uint32_t trivet_end;
enum {
  TRIVET_END_NOT_YET = 0,
  TRIVET_END_COMPLETE = 1,
  TRIVET_END_SHORT =
      2, /* fewer bytes than announced; only with TRIVET_WANTS_SHORT, else the request has ended */
  TRIVET_END_LONG = 3 /* more bytes than announced: the surplus was dropped and logged */
};

typedef uint32_t trivet_level;
enum { TRIVET_LEVEL_DEBUG = 1, TRIVET_LEVEL_INFO = 2, TRIVET_LEVEL_WARN = 3, TRIVET_LEVEL_ERROR = 4 };

typedef uint32_t trivet_type;
enum {
  TRIVET_TYPE_TEXT = 1,
  TRIVET_TYPE_INTEGER = 2,
  TRIVET_TYPE_REAL = 3,
  TRIVET_TYPE_BOOLEAN = 4,
  TRIVET_TYPE_LIST = 5,
  TRIVET_TYPE_TABLE = 6
};

/* One setting. For a list or table `count` is the number of its entries. */
typedef struct trivet_value {
  trivet_type type;
  uint32_t boolean;
  int64_t integer;
  double real;
  trivet_text text; /* valid until create returns */
  uint64_t count;
} trivet_value;

/* What a request is. `client`, `id` and `route` are valid until the call ends. */
typedef struct trivet_request_info {
  uint32_t size;           /* set by the caller to what it knows */
  trivet_role role;        /* the place the plugin runs in, not the role on the wire */
  uint64_t number;         /* unique within the worker */
  uint64_t content_length; /* UINT64_MAX: not announced */
  uint64_t data_length;    /* filter: FCGI_DATA_LENGTH; UINT64_MAX: not announced */
  trivet_text route;       /* the name of the route */
  trivet_text id;          /* the request id in logs */
  trivet_phase phase;
  uint32_t reserved; /* 0 */
} trivet_request_info;

typedef struct trivet_zone trivet_zone;       /* a [zone.NAME] of the configuration; the host's */
typedef struct trivet_counter trivet_counter; /* one number of a zone; the host's */

typedef struct trivet_zone_info {
  uint32_t size;        /* set by the caller to what it knows */
  uint32_t key_bytes;   /* the longest key */
  uint32_t value_bytes; /* the longest value */
  uint32_t counters;    /* how many there can be */
  uint64_t entries;     /* how many there can be, if keys spread evenly */
} trivet_zone_info;

/* When there is no room for a new entry. What has expired makes room in any case. */
typedef uint32_t trivet_zone_full;
enum {
  TRIVET_ZONE_EVICT = 0, /* gives up an entry that was not used for long */
  TRIVET_ZONE_REFUSE = 1 /* gives TRIVET_E_LIMIT */
};

/* In place of a version: whatever is there. */
#define TRIVET_ZONE_ANY UINT64_MAX

/* Shared zones: memory that is the same for all threads, workers and plugins that open it by one name, and
 * that outlives workers and reloads. Since 0.2. A zone has counters, which stay, and a table of entries: a
 * key, a value, a version that changes whenever the entry does, and maybe a time at which it is forgotten.
 * Keys and values are any bytes. Each function is one step that others see whole or not at all; none waits,
 * whatever happens to other processes, so all are for the event loop too.
 *
 * Threads    [any] but for `open`; also on threads that the plugin started itself.
 * Lifetime   Zones and counters: until destroy returns. What is in them: as long as the configuration has the
 *            zone with the same layout, and the host runs.
 * Errors     TRIVET_E_ARGUMENT: the key or value is too long for the zone. TRIVET_E_STATE from get, put, add,
 *            remove also: too many others changed entries beside this one; nothing was done. */
typedef struct trivet_zones {
  uint32_t size;
  uint32_t reserved; /* 0 */

  /* [startup, inside create] `path` is the setting that `name` comes from. A zone that is not configured is
   * told to the operator there, and gives TRIVET_E_ABSENT; create then gives TRIVET_E_FAILED. */
  trivet_status (*open)(const trivet_settings*, trivet_text path, trivet_text name, trivet_zone** zone);
  trivet_status (*info)(const trivet_zone*, trivet_zone_info* info);
  /* Nanoseconds of the clock by which entries expire; the same in all workers. */
  uint64_t (*now)(const trivet_zone*);

  /* Copies the value to `value`, as much of it as fits into `capacity`; *length is all of it. *version is
   * never 0. TRIVET_E_ABSENT: there is no such entry; *version is 0. */
  trivet_status (*get)(trivet_zone*, trivet_text key, void* value, size_t capacity, size_t* length,
                       uint64_t* version);
  /* `lifetime` in nanoseconds; 0: for good. `version`: TRIVET_ZONE_ANY, or only over the entry of that
   * version, or 0: only where there is none; else TRIVET_E_STATE. */
  trivet_status (*put)(trivet_zone*, trivet_text key, trivet_text value, uint64_t lifetime, uint64_t version,
                       trivet_zone_full when_full);
  /* Adds to an entry that holds a number (8 bytes in the machine's order), and keeps its time; makes it where
   * there is none. Stays at the ends of the range. TRIVET_E_ARGUMENT: it holds something else. */
  trivet_status (*add)(trivet_zone*, trivet_text key, int64_t delta, uint64_t lifetime,
                       trivet_zone_full when_full, int64_t* sum);
  /* TRIVET_E_ABSENT: there is none; TRIVET_E_STATE: it has another version. */
  trivet_status (*remove)(trivet_zone*, trivet_text key, uint64_t version);

  /* The counter of that name, 0 at first. TRIVET_E_LIMIT: there can be no more. */
  trivet_status (*counter)(trivet_zone*, trivet_text name, trivet_counter** counter);
  /* Gives what it is then; `delta` 0 reads it. */
  int64_t (*counter_add)(trivet_counter*, int64_t delta);
} trivet_zones;

/* What the host offers. Valid from create to the end of destroy. */
typedef struct trivet_host {
  uint32_t size;
  uint16_t abi_major;
  uint16_t abi_minor;

  /* --- settings [startup, inside create] --- */

  /* `path` names a setting: keys joined by '.', list entries by number ("users.0.name"); empty: the whole
   * table. */
  trivet_status (*setting)(const trivet_settings*, trivet_text path, trivet_value* value);
  /* The key of the index-th entry of a table. */
  trivet_status (*setting_key)(const trivet_settings*, trivet_text path, uint64_t index, trivet_text* key);
  /* A setting is wrong: told to the operator with file and line; create then gives TRIVET_E_FAILED. */
  void (*setting_error)(const trivet_settings*, trivet_text path, trivet_text what);

  /* --- reading the request [call] --- */

  trivet_status (*info)(trivet_request*, trivet_request_info* info);
  /* A CGI variable; TRIVET_E_ABSENT when there is none. Valid until the call ends. */
  trivet_status (*param)(trivet_request*, trivet_text name, trivet_text* value);
  /* All of them, each name once. Valid until the call ends. */
  trivet_status (*params)(trivet_request*, const trivet_param** first, size_t* count);
  /* The next bytes of the body, for `handle` on a plugin thread: waits until some are there. They are valid
   * until the next read. `end` becomes other than TRIVET_END_NOT_YET with an empty chunk. On the event loop:
   * TRIVET_E_STATE. */
  trivet_status (*read)(trivet_request*, trivet_text* chunk, trivet_end* end);
  /* Whether the client is gone or the request timed out: not 0 when it is. */
  uint32_t (*cancelled)(trivet_request*);

  /* --- answering [call] --- */

  /* The status of the response, 200..599. Before the first byte went out. */
  trivet_status (*set_status)(trivet_request*, uint32_t status);
  trivet_status (*add_header)(trivet_request*, trivet_text name, trivet_text value);
  trivet_status (*set_header)(trivet_request*, trivet_text name, trivet_text value);
  trivet_status (*remove_header)(trivet_request*, trivet_text name);
  /* What the response says so far: for a filter what the stages before it said. Valid until the next call
   * that changes the head. */
  trivet_status (*get_status)(trivet_request*, uint32_t* status);
  trivet_status (*get_header)(trivet_request*, trivet_text name, trivet_text* value);
  /* Bytes of the body; copied. In `handle` on a plugin thread it waits while the client is slow; elsewhere it
   * takes all and the hook is not called again before there is room. */
  trivet_status (*write)(trivet_request*, const void* bytes, size_t length);
  /* What was written so far goes out now. */
  trivet_status (*flush)(trivet_request*);

  /* --- deciding, for an authorizer [call] --- */

  trivet_status (*allow)(trivet_request*);
  /* A variable of the allowed request, see the route's `variables`. */
  trivet_status (*set_variable)(trivet_request*, trivet_text name, trivet_text value);
  /* `status` is 301-303, 307, 308, 4xx or 5xx; headers and body by add_header and write. `reason` is for the
   * log. */
  trivet_status (*deny)(trivet_request*, uint32_t status, trivet_text reason);

  /* --- telling --- */

  /* Why the hook is about to give TRIVET_E_FAILED; for the log, never for the client. [call] */
  void (*fail)(trivet_request*, trivet_text what);
  /* One line of the host's log. With a request it carries the request's id [call]. With null it belongs to
   * the plugin whose create, destroy or hook runs on the calling thread [startup] [call]; on threads that the
   * plugin started itself there is none, and the line is dropped. */
  void (*log)(trivet_request*, trivet_level level, trivet_text line);

  /* --- shared zones; since 0.2: look at `size` first --- */

  const trivet_zones* zones;

  /* --- since 0.3 --- */

  /* An authorizer: how long its verdict may be remembered for requests that are alike in all that it read, in
   * nanoseconds; 0: not at all. Only ever shorter than the route's `cache` says. The last call counts. [call]
   */
  trivet_status (*cache_for)(trivet_request*, uint64_t lifetime);
  /* A filter, in `open` and before it wrote anything: it leaves the body of this response as it is. Nothing
   * but `close` is called of it from then on; what the head says of the body (its length, its validators)
   * stays, and so does what the filter changed in the head. Elsewhere TRIVET_E_STATE. [call] */
  trivet_status (*pass)(trivet_request*);
} trivet_host;

/* A responder answers in one of two ways; the other hooks are null.
 *   handle                    one call for the whole request. On a plugin thread it may read and write as it
 * likes. open, body, room, close   called as the bytes come; never waits. `state` is the plugin's own per
 * request. On the event loop `handle` is called as soon as the parameters are complete; the body is not for
 * it. */
typedef struct trivet_responder {
  uint32_t size;
  trivet_status (*handle)(void* self, trivet_request* request);
  trivet_status (*open)(void* self, trivet_request* request, void** state);
  /* May be null: the body is dropped. `end` other than TRIVET_END_NOT_YET comes once, last. */
  trivet_status (*body)(void* self, trivet_request* request, void* state, trivet_text chunk, trivet_end end);
  /* May be null. Called while there is room for output after the body ended (or, without `body`, after open),
   * until it sets *done. */
  trivet_status (*room)(void* self, trivet_request* request, void* state, uint32_t* done);
  /* Always last, exactly once for each open that gave TRIVET_OK, also after a failure or cancellation. */
  void (*close)(void* self, trivet_request* request, void* state);
} trivet_responder;

typedef struct trivet_authorizer {
  uint32_t size;
  /* Calls allow or deny, then gives TRIVET_OK. Saying neither, or giving anything else, denies with 500. */
  trivet_status (*check)(void* self, trivet_request* request);
} trivet_authorizer;

typedef struct trivet_filter {
  uint32_t size;
  /* The head of the stages before is known and may be changed until the first write. */
  trivet_status (*open)(void* self, trivet_request* request, void** state);
  /* May be null. What the client sent with a request in the role FILTER (FCGI_STDIN), before any data; only
   * the first filter that has this hook gets it. */
  trivet_status (*body)(void* self, trivet_request* request, void* state, trivet_text chunk, trivet_end end);
  /* The bytes to filter. `end` other than TRIVET_END_NOT_YET comes once, last. */
  trivet_status (*data)(void* self, trivet_request* request, void* state, trivet_text chunk, trivet_end end);
  /* As for a responder. */
  void (*close)(void* self, trivet_request* request, void* state);
} trivet_filter;

typedef uint32_t trivet_flags;
enum {
  TRIVET_NEVER_BLOCKS = 1u << 0,    /* may run on the event loop: no hook ever waits for anything */
  TRIVET_SHARED_INSTANCE = 1u << 1, /* one instance serves all threads at once */
  TRIVET_WANTS_SHORT =
      1u << 2, /* is shown a body or data that ended short, instead of the host refusing it */
  /* Since 0.3: */
  TRIVET_EXCLUSIVE = 1u << 3, /* holds what only one process can (a port, a lock): never in two at once */
  TRIVET_PURE = 1u << 4, /* a filter: the same bytes, head and settings give the same meaning; what depends on
                          * a header of the request is named in Vary. Its output need not be made again where
                          * the client has it. */
  TRIVET_ANY_ENCODING = 1u << 5 /* a filter: is also given bodies that have a Content-Encoding */
};

typedef struct trivet_plugin {
  uint32_t magic; /* TRIVET_ABI_MAGIC */
  uint32_t size;
  uint16_t abi_major;
  uint16_t abi_minor;
  trivet_flags flags;
  trivet_text name;
  trivet_text version;
  /* An instance, one for each plugin thread unless TRIVET_SHARED_INSTANCE. [startup] */
  trivet_status (*create)(const trivet_host* host, const trivet_settings* settings, void** self);
  /* After the last hook of the instance returned. [startup thread] */
  void (*destroy)(void* self);
  const trivet_responder* responder; /* null where the plugin has not that role */
  const trivet_authorizer* authorizer;
  const trivet_filter* filter;
} trivet_plugin;

/* What the exported constant is declared with, whatever visibility the rest is compiled with. */
#define TRIVET_EXPORT __attribute__((visibility("default")))

/* The note, for plugins in C: once in one file, with a string literal such as
 *   {"name":"hello","version":"1.0","abi":"0.3","roles":["responder"],"flags":["never_blocks"],"sdk":"c"}
 * Roles: responder, authorizer, filter. Flags: never_blocks, shared_instance, wants_short, exclusive, pure,
 * any_encoding. They repeat what the exported constant says; a plugin whose two halves differ is refused. At
 * most 4096 bytes. (C only: the text may fill its array without its NUL.) A member "settings" may hold a JSON
 * Schema of the plugin's settings:
 *   "settings":{"type":"object","properties":{"key":{"type":"string","minLength":1}},"required":["key"],
 *               "additionalProperties":false}
 * With it a configuration is checked before the plugin is loaded. Of the schema's members these are looked
 * at: type, properties, required, additionalProperties, items, minimum, maximum, minLength, maxLength,
 * minItems, maxItems, and enum of texts. */
#define TRIVET_NOTE(json)                                                          \
  __attribute__((section(".note.trivet"), used, aligned(4))) static const struct { \
    uint32_t owner_size;                                                           \
    uint32_t text_size;                                                            \
    uint32_t type;                                                                 \
    char owner[8];                                                                 \
    char text[(sizeof(json) - 1 + 3) / 4 * 4];                                     \
  } trivet_note = {sizeof(TRIVET_NOTE_OWNER), sizeof(json) - 1, TRIVET_NOTE_TYPE, TRIVET_NOTE_OWNER, json}

#ifdef __cplusplus
}
#endif
#endif

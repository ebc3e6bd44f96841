/* A responder, an authorizer and a filter with libfcgi, as its own examples are written: what `trivet
 * conform` is run against for the totals in README.md. Answers on descriptor 0; four processes share it.
 *
 *   responder    the parameters, then the body
 *   authorizer   HTTP_X_API_KEY has to be `open sesame` and REQUEST_URI to begin with /private/
 *   filter       the data in capitals
 */
#include <ctype.h>
#include <fcgi_stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char** environ;

static void respond(void) {
  char** each;
  int c;
  printf("Content-Type: text/plain\r\n\r\n");
  for (each = environ; *each != NULL; ++each) printf("%s\n", *each);
  putchar('\n');
  while ((c = getchar()) != EOF) putchar(c);
}

static void authorize(void) {
  const char* key = getenv("HTTP_X_API_KEY");
  const char* uri = getenv("REQUEST_URI");
  if (key != NULL && uri != NULL && strcmp(key, "open sesame") == 0 && strncmp(uri, "/private/", 9) == 0) {
    printf("Status: 200 OK\r\nVariable-REMOTE_USER: ada\r\n\r\n");
  } else {
    printf("Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nno\n");
  }
}

static void filter(void) {
  int c;
  while (getchar() != EOF) {
  }
  printf("Content-Type: text/plain\r\n\r\n");
  if (FCGI_StartFilterData() != 0) return;
  while ((c = getchar()) != EOF) putchar(toupper(c));
}

int main(void) {
  int child;
  for (child = 0; child < 3; ++child) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      break;
    }
  }
  while (FCGI_Accept() >= 0) {
    const char* role = getenv("FCGI_ROLE");
    if (role != NULL && strcmp(role, "AUTHORIZER") == 0) {
      authorize();
    } else if (role != NULL && strcmp(role, "FILTER") == 0) {
      filter();
    } else {
      respond();
    }
  }
  return 0;
}

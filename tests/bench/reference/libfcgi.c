/* What tests/bench/trivet.toml answers, with libfcgi, as its own documentation writes applications. On
 * descriptor 0.
 *
 *   libfcgi [PROCESSES]
 */
#include <fcgiapp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static char piece[65536];

static void copy(FCGX_Stream* in, FCGX_Stream* out) {
  int got;
  while ((got = FCGX_GetStr(piece, sizeof piece, in)) > 0) {
    if (out != NULL) FCGX_PutStr(piece, got, out);
  }
}

int main(int argc, char** argv) {
  static const char download[] = "/bench/download/";
  FCGX_Request request;
  int processes = argc > 1 ? atoi(argv[1]) : 1;
  while (--processes > 0) {
    if (fork() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    break;
  }
  FCGX_Init();
  FCGX_InitRequest(&request, 0, 0);
  while (FCGX_Accept_r(&request) >= 0) {
    const char* role = FCGX_GetParam("FCGI_ROLE", request.envp);
    const char* uri = FCGX_GetParam("REQUEST_URI", request.envp);
    FCGX_PutS("Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n", request.out);
    if (role != NULL && strcmp(role, "AUTHORIZER") == 0) {
      /* An allow says no more than its head. */
    } else if (role != NULL && strcmp(role, "FILTER") == 0) {
      copy(request.in, NULL);
      FCGX_StartFilterData(request.in);
      copy(request.in, request.out);
    } else if (uri != NULL && strncmp(uri, download, sizeof download - 1) == 0) {
      long left = atol(uri + sizeof download - 1);
      memset(piece, 'x', sizeof piece);
      while (left > 0) {
        const int now = left < (long)sizeof piece ? (int)left : (int)sizeof piece;
        if (FCGX_PutStr(piece, now, request.out) < 0) break;
        left -= now;
      }
    } else {
      copy(request.in, NULL);
      FCGX_PutS("hello", request.out);
    }
    FCGX_Finish_r(&request);
  }
  return 0;
}

#include <cstdio>
#include <trivet/testing.hpp>

int main() {
  trivet::FakeHost host;
  host.set("greeting", "good day");
  const trivet::Answer answer = host.respond({.params = {{"REMOTE_USER", "ann"}}});
  if (answer.result == TRIVET_OK && answer.status == 200 && answer.body == "good day, ann\n") return 0;
  std::printf("answered %u: %s%s\n", answer.status, answer.body.c_str(), answer.failure.c_str());
  return 1;
}

#include "runtime/process/attach_stub.hpp"

/// `trivet attach` without the rest of the program, which maps five times as much memory: web servers start
/// one for each of their slots.
int main(int argc, char** argv) {
  return trivet::process::attach(argc > 1 ? argv[1] : trivet::process::default_attach_socket);
}

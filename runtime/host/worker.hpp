#pragma once

namespace trivet::host {

/// `trivet worker`: what a supervisor starts. Takes its configuration, listeners and orders from the channel
/// that it was started with, serves, and ends when it is told to or when the supervisor is gone. Gives the
/// exit code.
int work();

}  // namespace trivet::host

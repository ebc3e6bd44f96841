#pragma once

/// `trivet attach`: what a web server starts in place of an application, to hand the listening socket that it
/// gives as descriptor 0 over to the host that runs. Uses nothing but system calls: a web server may start a
/// hundred of them.
namespace trivet::process {

/// With the socket, over the attach socket: the two ends mean the same. No bytes follow.
inline constexpr char attach_greeting[] = "trivet-attach/1\n";
/// What the host says to that. The connection is the attachment from then on. Anything else is why it is
/// refused, and ends with the connection.
inline constexpr char attach_answer[] = "attached\n";

inline constexpr char default_attach_socket[] = "unix:/run/trivet/attach.sock";

/// Hands descriptor 0 over to the host that listens on `address`, unix:/PATH or /PATH, and stays until
/// SIGTERM. Where the host ends, tries to reach it again for 30 seconds.
///
/// Gives the exit code: 0; 64 where descriptor 0 is no listening unix socket or `address` none of one; 69
/// where the host is not reached or does not want the socket. Messages go to standard error: a web server
/// puts them into its log.
///
/// Thread  [startup]: the only one.
int attach(const char* address);

}  // namespace trivet::process

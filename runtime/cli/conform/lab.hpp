#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cli/conform/connection.hpp"
#include "runtime/cli/conform/wire.hpp"
#include "runtime/config/config.hpp"

namespace trivet::cli::conform {

/// The application under test, and how to ask it.
struct Target {
  config::Address address;
  std::string responder = "/";
  std::string authorizer;  ///< Empty: none.
  Params grant;            ///< The parameters that make the authorizer say yes.
  std::string filter;      ///< Empty: none.
  Params params;           ///< Sent with every request.
  std::vector<std::string> without;
  std::optional<std::chrono::milliseconds> idle_timeout;
  std::chrono::milliseconds timeout = std::chrono::seconds(3);
  int process = 0;  ///< Whose memory is looked at; 0: nobody's.
};

/// Why a case failed: what was expected, what came.
struct Failed {
  std::string what;
};
void expect(bool holds, const std::string& otherwise);

/// What the cases work with: connections to the application, requests to it, and what it answers when it is
/// asked in the plainest way.
///
/// Thread  One.
/// Errors  Failed, thrown.
class Lab {
 public:
  explicit Lab(Target target);

  [[nodiscard]] Connection open();
  /// Is nobody there?
  [[nodiscard]] bool reachable(std::string& problem);
  /// From now on nobody's memory is looked at.
  void forget_process() noexcept { target_.process = 0; }

  [[nodiscard]] Request get(std::uint16_t role = role_responder) const;
  [[nodiscard]] Request get(std::uint16_t role, const std::string& uri) const;
  [[nodiscard]] Request post(std::string body) const;
  /// For the authorizer: with what makes it say yes, or without.
  [[nodiscard]] Request asking(bool granted) const;
  [[nodiscard]] Request filtering(std::string data, std::string body = {}) const;

  /// One request, alone and whole, on a connection of its own.
  [[nodiscard]] Answer ask(const Request& request);
  /// What the application answers to this when it is asked plainly; asked once for each request.
  const Answer& plain(const Request& request);
  /// It was answered, and as plainly.
  void same(Connection& connection, const Request& request, const std::string& told = {});
  /// On a connection that is still there.
  void serves(Connection& connection, std::uint16_t id = 9);
  /// On a new one, in time.
  void serves();
  /// The connection was closed, or the request ended, and not as if all had been well.
  void refused(Connection& connection, const std::string& told, std::uint16_t id = 1);
  /// Nothing that a web server would take for a yes.
  void not_granted(Connection& connection, const std::string& told, std::uint16_t id = 1);
  /// Waits until the request ends, or its connection.
  void settle(Connection& connection, std::uint16_t id = 1) const;

  /// Bytes that the application's processes use, where they can be seen.
  [[nodiscard]] std::optional<std::uint64_t> memory() const;
  void memory_within(std::optional<std::uint64_t> before, std::uint64_t mebibytes) const;

  [[nodiscard]] const Target& target() const noexcept { return target_; }
  [[nodiscard]] std::chrono::milliseconds patience() const noexcept { return target_.timeout; }
  [[nodiscard]] const Seen& seen() const noexcept { return seen_; }
  /// Numbers that are the same in every run.
  [[nodiscard]] std::uint32_t random(std::uint32_t below);
  void reseed(std::uint32_t seed) noexcept { state_ = seed * 2654435761U + 1; }

 private:
  Target target_;
  Seen seen_;
  std::map<std::string, Answer> plain_;
  std::uint32_t state_ = 1;
};

/// One line of the catalogue.
struct Case {
  const char* id;
  const char* sentence;
  void (*run)(Lab& lab);
};

struct Section {
  const char* name;
  std::uint16_t role;  ///< That the application has to have for it.
  std::vector<Case> cases;
};

[[nodiscard]] Section shapes();
[[nodiscard]] Section management();
[[nodiscard]] Section violations();
[[nodiscard]] Section resources();
[[nodiscard]] Section authorizing();
[[nodiscard]] Section filtering();
/// Runs last: it judges what came in all of the others.
[[nodiscard]] Section leaks();

}  // namespace trivet::cli::conform

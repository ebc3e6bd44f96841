#pragma once

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <trivet/plugin.hpp>

/// Plugins that tests of the host link in.
namespace trivet::host::testing {

struct Hello {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request&, trivet::Response& out) { out << "hello\n"; }
};

/// Method, REMOTE_USER and AUTH_TYPE as a source sees them.
struct WhoAmI {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request& request, trivet::Response& out) {
    out << "user=" << request.param("REMOTE_USER") << " type=" << request.param("AUTH_TYPE")
        << " groups=" << request.param("AUTH_GROUPS") << " coding=" << request.param("HTTP_ACCEPT_ENCODING")
        << "\n";
  }
};

/// Every parameter as a source sees it, one a line.
struct ShowParams {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request& request, trivet::Response& out) {
    for (const auto& [name, value] : request.params()) out << name << "=" << value << "\n";
  }
};

/// The name of the route that the request took.
struct ShowRoute {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request& request, trivet::Response& out) { out << request.route(); }
};

/// The body back as it comes, on the loop.
struct LoopEcho {
  static constexpr bool never_blocks = true;
  struct Responder {
    void body(std::string_view chunk, trivet::Response& out, bool) { out << chunk; }
  };
};

/// The body back as it comes, by blocking reads on a plugin thread.
struct BlockingEcho {
  static inline std::atomic<bool> hold{false};  ///< Nothing is read while it is set.
  void handle(trivet::Request& request, trivet::Response& out) {
    while (hold.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    while (const auto chunk = request.read()) out << *chunk;
  }
};

/// The same by hooks on a plugin thread.
struct ThreadEcho {
  struct Responder {
    void body(std::string_view chunk, trivet::Response& out, bool) { out << chunk; }
  };
};

/// As many bytes as QUERY_STRING says, 1,000 at a time, whenever there is room.
struct Pour {
  static constexpr bool never_blocks = true;
  static inline std::size_t poured = 0;
  struct Responder {
    explicit Responder(trivet::Request& request)
        : left(std::stoul(std::string(request.param("QUERY_STRING")))) {}
    bool room(trivet::Response& out) {
      const std::size_t now = left < 1000 ? left : 1000;
      out << std::string(now, 'x');
      left -= now;
      poured += now;
      return left == 0;
    }
    std::size_t left;
  };
};

/// More than the window, written at once.
struct Burst {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request&, trivet::Response& out) { out << std::string(200000, 'x'); }
};

/// What QUERY_STRING says, as a head.
struct Head {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request& request, trivet::Response& out) {
    const std::string_view what = request.param("QUERY_STRING");
    if (what == "204") out.status(204);
    if (what == "304") out.status(304);
    if (what == "location") out.header("Location", "/there");
    if (what == "short") out.header("Content-Length", "100");
    if (what == "long") out.header("Content-Length", "2");
    if (what == "huge") out.header("X-Huge", std::string(8000, 'h'));
    if (what == "none") return;
    if (what.starts_with("file:")) out.header(what.substr(5), "/secret");
    if (what == "gzip") out.header("Content-Encoding", "gzip");
    if (what == "etag") out.header("ETag", "\"1\"").header("Content-Length", "5");
    out << "body\n";
    if (what == "throw") throw std::runtime_error("on purpose");
    if (what == "throw-late") {
      out.flush();
      throw std::runtime_error("on purpose, late");
    }
  }
};

// --- guards ---

/// HTTP_X_KEY decides what it does.
struct Gate {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request& request) {
    const std::string_view key = request.param("HTTP_X_KEY");
    if (key == "good") return trivet::allow().set("REMOTE_USER", "ann").set("AUTH_GROUPS", "staff");
    if (key == "good-with-head")
      return trivet::allow().set("REMOTE_USER", "ann").header("X-Inner", "1").header("Set-Cookie", "a=b");
    if (key == "plain") return trivet::allow();
    if (key == "undeclared") return trivet::allow().set("SECRET_THING", "x");
    if (key == "forbidden") return trivet::allow().set("LD_PRELOAD", "x");
    if (key == "crlf") return trivet::allow().set("REMOTE_USER", "a\r\nStatus: 200");
    if (key == "nothing") return {};
    if (key == "throw") throw std::runtime_error("on purpose");
    if (key == "redirect") return trivet::deny(302).header("Location", "https://login.example/");
    if (key == "deny200") return trivet::deny(200);
    if (key == "challenge")
      return trivet::deny(401).header("WWW-Authenticate", "Basic").body("who are you?\n");
    if (key == "phase") return trivet::deny(403).body(std::to_string(static_cast<unsigned>(request.phase())));
    if (key == "server-user") return trivet::deny(403).body(std::string(request.param("REMOTE_USER")) + "|");
    return trivet::deny(403).body("no\n").reason("bad key");
  }
};

/// Allows after a while, on a plugin thread; `entered` counts.
struct SlowGate {
  static inline std::atomic<int> entered{0};
  static inline std::atomic<bool> hold{false};
  trivet::Verdict check(trivet::Request&) {
    ++entered;
    while (hold.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return trivet::allow().set("REMOTE_USER", "slow");
  }
};

// --- filters ---

struct Upper {
  static constexpr bool never_blocks = true;
  void data(std::string_view chunk, trivet::Output& out, bool) {
    std::string text(chunk);
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    out << text;
  }
};

/// The same on plugin threads.
struct ThreadUpper {
  void data(std::string_view chunk, trivet::Output& out, bool last) { Upper().data(chunk, out, last); }
};

/// Each chunk in brackets, and the end seen.
struct Brackets {
  static constexpr bool never_blocks = true;
  void data(std::string_view chunk, trivet::Output& out, bool last) {
    if (!chunk.empty()) out << "[" << chunk << "]";
    if (last) out << ".";
  }
};

/// Writes the body it was given in front of the data.
struct BodyFirst {
  static constexpr bool never_blocks = true;
  void body(std::string_view chunk, trivet::Output& out, bool last) {
    out << chunk;
    if (last) out << "|";
  }
  void data(std::string_view chunk, trivet::Output& out, bool) { out << chunk; }
};

/// Wants everything that it says to go out at once.
struct FlushEarly {
  static constexpr bool never_blocks = true;
  void body(std::string_view chunk, trivet::Output& out, bool) {
    out << chunk;
    out.flush();
  }
  void data(std::string_view chunk, trivet::Output& out, bool) { out << chunk; }
};

struct BadFilter {
  static constexpr bool never_blocks = true;
  void data(std::string_view, trivet::Output&, bool) { throw std::runtime_error("on purpose"); }
};

}  // namespace trivet::host::testing

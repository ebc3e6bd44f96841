#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace trivet::model {

/// What the guards of a scenario said yes to: each yes is a word of its own, told to whoever was granted.
struct Yes {
  std::string tag;  ///< HTTP_X_TAG as the guard saw it.
  bool is_used = false;
};

/// What is known across connections. Requests are told apart by HTTP_X_TAG.
struct Book {
  std::map<std::string, Yes> yes;  ///< By the word.
  std::set<std::string> ended;     ///< Tags of requests whose end was received: no hook is called for them.
  std::map<int, std::size_t>
      answers;             ///< Requests that were ended, by their status; 0: their role is unknown.
  std::size_t grants = 0;  ///< Answers that tell a yes.
};

/// What a web server knows of one connection: what it sent, read by a reader of its own, and what that allows
/// the host to answer. It judges every record as it comes.
///
/// Lifetime  `book` outlives it.
/// Errors    A record that must not be ends the process (require.hpp).
class PeerModel {
 public:
  explicit PeerModel(Book& book) : book_(book) {}

  /// Bytes are about to reach the host.
  void sent(std::string_view bytes);
  /// Takes from the front of `bytes` the whole records that the host has sent.
  void received(std::string& bytes);

  /// Requests whose parameters came to their end: no plugin is asked about any other.
  [[nodiscard]] std::size_t complete_params() const noexcept { return complete_params_; }
  /// Every request that began was ended.
  [[nodiscard]] bool all_ended() const;
  /// A request was ended that wanted the connection closed behind it.
  [[nodiscard]] bool wants_close() const noexcept { return wants_close_; }
  /// Of everything that was received.
  [[nodiscard]] std::uint64_t digest() const noexcept { return digest_; }

 private:
  struct Request {
    unsigned role = 0;
    bool keeps = false;
    std::string pairs;  ///< The bytes of PARAMS.
    bool params_ended = false;
    bool is_spoiled = false;  ///< Aborted or out of order before its parameters ended.
    std::size_t body = 0;     ///< Bytes of STDIN, up to its end.
    bool body_ended = false;
  };
  /// What was received for the request that is answered now.
  struct Answer {
    std::string out;
    std::string first_record;
    bool out_ended = false;
  };
  struct Id {
    std::vector<Request> requests;
    std::size_t ended = 0;
    Answer answer;
  };

  void take_sent(unsigned type, std::uint16_t id, std::string_view content);
  void take_received(unsigned type, std::uint16_t id, std::string_view content);
  void end(Id& id, std::string_view content);
  /// Gives the status.
  int check_answer(const Request& request, const Answer& answer, unsigned app_status);
  void check_grant(const Request& request, const Answer& answer, int status);

  Book& book_;
  std::map<std::uint16_t, Id> ids_;
  std::string unread_;  ///< Sent; not a whole record yet.
  std::size_t padding_ = 0;
  std::size_t complete_params_ = 0;
  std::uint64_t digest_ = 0;
  bool wants_close_ = false;
  bool is_dead_ = false;  ///< Another version: no later record can be found.
};

}  // namespace trivet::model

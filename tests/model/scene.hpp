#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/model/peer_model.hpp"
#include "tests/unit/host/harness.hpp"

namespace trivet::model {

/// A host with guards, sources and filters, and two web servers, each with one connection at a time: what
/// they do is the caller's, what must hold afterwards is judged here, after everything that may have made the
/// host act.
///
/// Thread    One scene at a time, on one thread: its plugins share what they tell.
/// Errors    What must not happen ends the process (require.hpp).
class Scene {
 public:
  struct Setting {
    /// Of every connection; null: what the pipe can take, it takes.
    host::testing::Faults* faults = nullptr;
    /// Runs the jobs of plugins that do not run on the loop. Empty: there are no such plugins, nor routes to
    /// them.
    plugin::Plugin::MakeWorkers make_workers;
    /// Called inside the hooks of those plugins: what happens on the loop while a hook runs on its thread. It
    /// may do anything with this scene but finish or destroy it.
    std::function<void()> meanwhile;
    /// Changes the limits, which are small, so that little is needed to reach them.
    std::function<void(base::Limits&)> limit;
  };
  /// How bytes reach the host.
  enum class Pieces : std::uint8_t { whole, two, single, kept };
  static constexpr std::size_t sides = 2;

  Scene();
  explicit Scene(const Setting& setting);
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  /// Bytes of a web server: `two` is cut at `cut`, `single` means one by one if they are few, `kept` waits
  /// for the next.
  void send(std::size_t side, std::string_view bytes, Pieces pieces = Pieces::whole, std::size_t cut = 0);
  /// The web server takes that much more, and no more.
  void take(std::size_t side, std::size_t bytes);
  void read_at_most(std::size_t side, std::size_t bytes);
  void advance(base::Duration by);
  /// The web server sends no more; `everything`: it is gone. What was kept is sent first, if asked.
  void end(std::size_t side, bool everything, bool send_kept);
  /// The host is told to stop.
  void stop(std::size_t side);
  /// The worker wants to give the connection away, which has requests at work.
  void freeze(std::size_t side);
  /// Another worker takes the connection over; false where it cannot leave now.
  bool move(std::size_t side);
  /// A connection, also in the place of one that is closed. To be called for both sides before anything else.
  void connect(std::size_t side);
  /// Lets the host do what is to be done, after something that it did not see.
  void settle();

  [[nodiscard]] bool closed(std::size_t side) const;
  /// A value for HTTP_X_TAG that no other request has.
  [[nodiscard]] std::string next_tag() { return std::to_string(tags_++); }
  [[nodiscard]] host::testing::FakeSpools& spools() noexcept { return bench_.spools; }
  [[nodiscard]] log::MemoryLog& log() noexcept { return bench_.log; }
  [[nodiscard]] const Book& book() const noexcept { return book_; }
  /// Of everything that the web servers received.
  [[nodiscard]] std::uint64_t digest() const noexcept;

  /// The web servers take everything, time passes, `work` runs what waits for threads: every request has
  /// ended, or its connection closed. Then the web servers end, and nothing is left of them, nor of what was
  /// noted here about them but the digest.
  void finish(const std::function<void()>& work = {});

 private:
  struct Side {
    Side(host::testing::Bench::Wire& the_wire, Book& book) : wire(the_wire), model(book) {}
    host::testing::Bench::Wire& wire;
    PeerModel model;
    std::string kept;  ///< Sent together with what comes next.
    bool has_ended = false;
    bool was_frozen = false;
  };

  void disconnect(std::size_t side);
  void give(Side& side, std::string_view bytes);
  void check();

  Book book_;
  host::testing::Faults* faults_;
  std::function<void()> meanwhile_;
  host::testing::Bench bench_;
  std::vector<std::unique_ptr<Side>> sides_;
  std::size_t complete_params_ = 0;  ///< Of connections that were replaced.
  std::uint64_t digest_ = 0;         ///< As well.
  std::size_t tags_ = 0;
};

}  // namespace trivet::model

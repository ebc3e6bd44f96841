#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/process/file_descriptor.hpp"
#include "runtime/roles/stage.hpp"
#include "runtime/source/disk.hpp"
#include "runtime/source/file_answer.hpp"
#include "runtime/source/files.hpp"

namespace trivet::source {

/// One request for a file.
///
///   created -> looking -> sending -> over         any answer without content, and cancel(), lead to over
///
/// What the system has in memory is opened and read on the loop, by calls that never wait; for the rest a
/// disk thread does one thing at a time: the looking up, or the reading of one piece.
///
/// Thread    [loop], but for on_disk().
/// Memory    Its place and head; no buffer. A piece of the file is read when there is room for it after the
///           stage.
/// Errors    Before the head an answer; after it the response is cut, also where the file became shorter. One
///           that grew is sent with the length it had.
class FileStage final : public roles::Stage, private Disk::Work {
 public:
  FileStage(Files& files, roles::StageSink& sink, const roles::CallFacts& facts)
      : files_(files), sink_(sink), facts_(facts) {}

  void start() override;
  /// A request's body is of no interest.
  void input(roles::StageInput /*lane*/, base::Bytes /*bytes*/) override {}
  void end_input(roles::StageInput /*lane*/, trivet_end /*end*/) override {}
  [[nodiscard]] bool has_room(roles::StageInput /*lane*/) const noexcept override { return true; }
  [[nodiscard]] std::size_t kept() const noexcept override { return 0; }
  void resume() override { pump(); }
  void cancel() override;
  [[nodiscard]] bool busy() const noexcept override { return is_out(); }
  [[nodiscard]] bool waits_for_peer() const noexcept override { return false; }

 private:
  enum class State : std::uint8_t { created, looking, sending, over };

  // Disk::Work
  void on_disk(std::span<std::uint8_t> buffer) override;
  void on_back(std::span<const std::uint8_t> buffer) override;

  void look();
  void answer(Found found);
  void deliver(Found found);
  void redirect();
  void answer_plainly(int status, std::string_view field = {}, std::string_view value = {});
  void tell(log::Level level, std::string_view why, const Found& found);
  void fail(int status, std::string text);
  void finish();

  void pump();
  void next_part();
  void read_piece();
  void take(std::int64_t got, int error, std::span<const std::uint8_t> buffer);
  void write(std::string_view text);
  [[nodiscard]] std::size_t piece_size() const noexcept;

  Files& files_;
  roles::StageSink& sink_;
  const roles::CallFacts& facts_;
  State state_ = State::created;
  std::string place_;
  bool pumping_ = false;

  process::FileDescriptor file_;
  FileAnswer answer_;
  Multipart multipart_;
  std::size_t next_part_ = 0;
  std::uint64_t at_ = 0;
  std::uint64_t left_ = 0;  ///< Of the part that is sent.

  // The disk thread's while it is out, with the file, the place and where it stands.
  enum class Task : bool { look, read } task_ = Task::look;
  Found found_;
  std::int64_t got_ = 0;
  int error_ = 0;
};

}  // namespace trivet::source

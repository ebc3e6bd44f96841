#include "runtime/source/file_stage.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include "runtime/roles/journal.hpp"
#include "runtime/source/folder_location.hpp"

namespace trivet::source {
namespace {

constexpr std::size_t source_index = 0;  ///< A source is the first in its chain.
constexpr std::string_view allowed = "GET, HEAD, OPTIONS";

std::string text_of(int error) { return std::generic_category().message(error); }

/// The system has no more of something that comes back.
bool is_shortage(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS || error == EAGAIN;
}

}  // namespace

void FileStage::start() {
  state_ = State::looking;
  const std::string_view said = facts_.params->get(cgi::KnownParam("REQUEST_METHOD"));
  const std::string_view method = said.empty() ? facts_.params->get(cgi::KnownParam("TRIVET_METHOD")) : said;
  if (method == "OPTIONS") {
    cgi::ResponseHead& head = *sink_.head(source_index);
    head.set_status(204);
    static_cast<void>(head.set("Allow", allowed));
    finish();
  } else if (method != "GET" && method != "HEAD") {
    answer_plainly(405, "Allow", allowed);
  } else if (!files_.place_.find(facts_.path, place_)) {
    answer_plainly(404);
  } else {
    look();
  }
}

void FileStage::look() {
  if (files_.local_device_) {
    Found found = files_.root_.look_up(place_, Reach::memory(*files_.local_device_));
    if (found.what != Found::What::not_at_once) {
      answer(std::move(found));
      pump();
      return;
    }
  }
  if (!submit(files_.share_, *facts_.loop, Kind::first)) fail(503, "disk_queue is full");
}

void FileStage::on_disk(std::span<std::uint8_t> buffer) {
  if (task_ == Task::look) {
    found_ = files_.root_.look_up(place_, Reach::anywhere());
    return;
  }
  do {
    got_ = ::pread(file_.get(), buffer.data(), piece_size(), static_cast<off_t>(at_));
  } while (got_ < 0 && errno == EINTR);
  error_ = errno;
}

void FileStage::on_back(std::span<const std::uint8_t> buffer) {
  if (task_ == Task::look) files_.local_device_ = found_.local_device;
  switch (state_) {
    case State::created:
    case State::over:  // It was cancelled meanwhile.
      found_ = {};
      file_.reset();
      break;
    case State::looking:
      answer(std::exchange(found_, {}));
      break;
    case State::sending:
      take(got_, error_, buffer);
      break;
  }
  pump();
  sink_.on_progress(source_index);
}

void FileStage::cancel() {
  state_ = State::over;
  // While a disk thread has the file it has to stay open: its number would be another's.
  if (!is_out() || withdraw()) file_.reset();
}

// --- what is there ---

void FileStage::answer(Found found) {
  const std::string why = text_of(found.error);
  switch (found.what) {
    case Found::What::file:
      deliver(std::move(found));
      return;
    case Found::What::folder:
      redirect();
      return;
    case Found::What::no_index:
      tell(log::Level::debug, "it is a folder without an index file", found);
      answer_plainly(403);
      return;
    case Found::What::missing:
      tell(log::Level::debug, found.error == ENXIO ? "it is no regular file" : why, found);
      answer_plainly(404);
      return;
    case Found::What::forbidden:
      tell(log::Level::warn, why, found);
      answer_plainly(403);
      return;
    case Found::What::outside:
      tell(log::Level::warn, "a symbolic link leads out of the folder", found);
      answer_plainly(403);
      return;
    case Found::What::not_at_once:
    case Found::What::failed:
      break;
  }
  // A root that is away comes back: it is being replaced, or mounted.
  const bool comes_back = found.root_failed || is_shortage(found.error);
  fail(comes_back ? 503 : 500, "cannot open " + files_.root_.path_of(place_, found) + ": " + why);
}

void FileStage::deliver(Found found) {
  const cgi::UnixSeconds now = std::time(nullptr);
  const bool head_only = facts_.params->get(cgi::KnownParam("REQUEST_METHOD")) == "HEAD";
  answer_ = answer_for(found.facts, *facts_.params, head_only ? "HEAD" : "GET", now);
  if (answer_.status == 412) {
    answer_plainly(412);
    return;
  }
  if (answer_.status == 416) {
    answer_plainly(416, "Content-Range", content_range(nullptr, found.facts.size));
    return;
  }
  const std::string type = files_.type_of(files_.root_.name_of(place_, found));
  if (answer_.ranges.parts().size() > 1)
    multipart_ = Multipart(files_.make_boundary(), type, found.facts.size);
  fill_head(*sink_.head(source_index), answer_, found.facts, type, multipart_, now);
  if (head_only || answer_.status == 304) {
    finish();
    return;
  }
  state_ = State::sending;
  file_ = std::move(found.file);
  if (answer_.status == 200) left_ = found.facts.size;
}

void FileStage::redirect() {
  const std::string location = folder_location(*facts_.params, *facts_.path);
  if (location.empty()) {
    answer_plainly(414);
  } else {
    answer_plainly(301, "Location", location);
  }
}

void FileStage::answer_plainly(int status, std::string_view field, std::string_view value) {
  cgi::ResponseHead& head = *sink_.head(source_index);
  head.set_status(status);
  static_cast<void>(head.set("Content-Type", "text/plain; charset=utf-8"));
  if (!field.empty()) static_cast<void>(head.set(field, value));
  write(std::to_string(status) + " " + std::string(cgi::reason_phrase(status)) + "\n");
  if (state_ != State::over) finish();
}

void FileStage::tell(log::Level level, std::string_view why, const Found& found) {
  if (!facts_.log->enabled(level)) return;
  std::uint64_t others = 0;
  if (level >= log::Level::warn) {  // Clients can provoke these.
    const auto untold = files_.told_.due(facts_.loop->now());
    if (!untold) return;
    others = *untold;
  }
  std::string scratch;
  const std::string path = files_.root_.path_of(place_, found);
  facts_.log->write(level, "a file is not served",
                    {{"route", facts_.route},
                     {"file", roles::redacted(*facts_.params, facts_.journal->redact, path, scratch)},
                     {"reason", why},
                     {"request", facts_.request_id},
                     {"others", std::to_string(others)}});
}

void FileStage::fail(int status, std::string text) {
  state_ = State::over;
  file_.reset();
  sink_.on_failed(source_index, {status, std::move(text)});
}

void FileStage::finish() {
  state_ = State::over;
  file_.reset();
  sink_.on_done(source_index);
}

// --- its content ---

std::size_t FileStage::piece_size() const noexcept {
  const std::uint64_t most = std::clamp<std::uint64_t>(facts_.window, 4096, Disk::buffer_size);
  return static_cast<std::size_t>(std::min(left_, most));
}

void FileStage::pump() {
  if (pumping_) return;
  pumping_ = true;
  while (state_ == State::sending && !is_out()) {
    if (left_ == 0) {
      next_part();
    } else if (sink_.has_room_after(source_index)) {
      read_piece();
    } else {
      break;
    }
  }
  pumping_ = false;
}

/// All of a part has been sent, or nothing of the first.
void FileStage::next_part() {
  const auto parts = answer_.ranges.parts();
  if (answer_.status == 200 || next_part_ >= parts.size()) {
    if (parts.size() > 1) write(multipart_.end());
    if (state_ == State::sending) finish();
    return;
  }
  const ByteRange& part = parts[next_part_];
  at_ = part.first;
  left_ = part.length;
  if (parts.size() > 1) write(multipart_.before(part, next_part_ == 0));
  ++next_part_;
}

void FileStage::read_piece() {
  const std::span<std::uint8_t> buffer = files_.share_.disk().loop_buffer();
  const iovec room{buffer.data(), piece_size()};
  const ssize_t got = ::preadv2(file_.get(), &room, 1, static_cast<off_t>(at_), RWF_NOWAIT);
  if (got >= 0) {
    take(got, 0, buffer);
    return;
  }
  // It would wait for a disk, or its file system cannot tell. What fails on the disk is told by who waits for
  // it.
  task_ = Task::read;
  static_cast<void>(submit(files_.share_, *facts_.loop, Kind::following));
}

void FileStage::take(std::int64_t got, int error, std::span<const std::uint8_t> buffer) {
  if (got < 0) {
    fail(500, "cannot read " + files_.root_.path_of(place_, {}) + ": " + text_of(error));
  } else if (got == 0) {
    fail(500, files_.root_.path_of(place_, {}) + " became shorter while it was sent");
  } else {
    at_ += static_cast<std::uint64_t>(got);
    left_ -= static_cast<std::uint64_t>(got);
    sink_.on_output(source_index, buffer.first(static_cast<std::size_t>(got)));
  }
}

void FileStage::write(std::string_view text) { sink_.on_output(source_index, base::as_bytes(text)); }

}  // namespace trivet::source

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/log/memory_log.hpp"
#include "runtime/source/files.hpp"
#include "tests/unit/source/by_hand.hpp"
#include "tests/unit/source/tree.hpp"

namespace trivet::source::testing {

/// What comes after the source: takes as much as the test says.
class Sink final : public roles::StageSink {
 public:
  cgi::ResponseHead* head(std::size_t /*index*/) noexcept override {
    return outputs == 0 ? &response : nullptr;
  }
  void on_output(std::size_t /*index*/, base::Bytes bytes) override {
    ++outputs;
    largest = std::max(largest, bytes.size());
    body += base::as_text(bytes);
    room -= std::min(room, bytes.size());
    if (cancel_at != 0 && body.size() >= cancel_at) stage->cancel();
  }
  void on_flush(std::size_t /*index*/) override {}
  void on_done(std::size_t /*index*/) override { ++done; }
  void on_failed(std::size_t /*index*/, roles::StageFailure failure) override {
    failures.push_back(std::move(failure));
  }
  [[nodiscard]] bool has_room_after(std::size_t /*index*/) const noexcept override { return room > 0; }
  void on_progress(std::size_t /*index*/) override { ++progress; }

  cgi::ResponseHead response;
  std::string body;
  std::size_t room = SIZE_MAX;
  std::size_t largest = 0;
  std::size_t cancel_at = 0;
  int outputs = 0;
  int done = 0;
  int progress = 0;
  std::vector<roles::StageFailure> failures;
  roles::Stage* stage = nullptr;
};

class FileStageTest : public ::testing::Test {
 protected:
  FileStageTest() {
    route_.name = "files";
    route_.path = "/**";
    route_.files.emplace();
    route_.files->root = tree_.path();
    auto workers = std::make_unique<WorkersByHand>();
    workers_ = workers.get();
    disk_ = std::make_unique<Disk>(std::move(workers), 2, 2);
    facts_.params = &params_;
    facts_.log = &log_;
    facts_.journal = &journal_;
    facts_.route = "files";
    facts_.request_id = "id";
    facts_.loop = &loop_;
    facts_.window = 65536;
    params_.set("REQUEST_METHOD", "GET");
  }

  void make() {
    files_ = std::make_unique<Files>(route_, *disk_, std::make_shared<MediaTypes>(MediaTypes::parse("")));
  }
  /// Starts a request; nothing of it that needs a disk has happened yet.
  void begin(const std::string& uri) {
    if (files_ == nullptr) make();
    uri_ = uri;
    ASSERT_EQ(path_.parse(uri_, cgi::RequestPath::Form::uri), "");
    facts_.path = &path_;
    params_.set("REQUEST_URI", uri);
    sink_ = std::make_unique<Sink>();
    sink_->room = room_;
    stage_ = files_->open(*sink_, facts_);
    sink_->stage = stage_.get();
    stage_->start();
  }
  void run_all() {
    while (workers_->run_one() || loop_.turn()) {
    }
  }
  /// A whole request.
  void get(const std::string& uri) {
    begin(uri);
    run_all();
  }
  [[nodiscard]] int status() const { return sink_->response.status(); }
  [[nodiscard]] std::string value(std::string_view name) const {
    return std::string(sink_->response.find(name).value_or("none"));
  }

  Tree tree_;
  std::size_t room_ = SIZE_MAX;  ///< Of the next sink, at first.
  config::Route route_;
  LoopByHand loop_;
  log::MemoryLog log_{log::Level::debug};
  roles::Journal journal_;
  cgi::Params params_;
  std::string uri_;
  cgi::RequestPath path_;
  roles::CallFacts facts_;
  WorkersByHand* workers_ = nullptr;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Files> files_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<roles::Stage> stage_;
};

}  // namespace trivet::source::testing

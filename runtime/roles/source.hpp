#pragma once

#include <memory>

#include "runtime/roles/stage.hpp"

namespace trivet::roles {

/// What answers a RESPONDER request where that is no plugin: files, another FastCGI application.
///
/// Thread    [loop].
/// Lifetime  Belongs to its Route: outlives every request. Made at start of a worker.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// The first stage of a request, at index 0 of `sink`. It is given FCGI_STDIN as StageInput::body; the head
  /// is its to fill until its first output. What `facts` points to outlives the stage.
  [[nodiscard]] virtual std::unique_ptr<Stage> open(StageSink& sink, const CallFacts& facts) = 0;
};

}  // namespace trivet::roles

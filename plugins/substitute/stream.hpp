#pragma once

#include <cstddef>
#include <string_view>

/// Takes the text that comes out of a rule.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;
  virtual void write(std::string_view text) = 0;
  /// Asked now and then by what may take long. Throws when nobody waits for the text any more.
  virtual void check() = 0;
};

/// One rule at work on one text, which comes in pieces.
///
/// Lifetime  The rule outlives it.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;
  virtual void feed(std::string_view piece, bool last, Sink& sink) = 0;
};

#pragma once

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "accept_encoding.hpp"

/// Bytes in, bytes of one coding out.
///
/// Memory    What the library holds for its window, see the README; output goes out in pieces of at most 16
///           KiB.
/// Errors    std::runtime_error when the library fails, std::bad_alloc.
class Encoder {
 public:
  /// What is to happen after the bytes: nothing, everything so far can be decoded, or it ends here.
  enum class After : std::uint8_t { more, flush, end };
  using Sink = std::function<void(std::string_view)>;

  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;
  virtual void encode(std::string_view bytes, After after, const Sink& sink) = 0;

 protected:
  std::array<char, 16384> out_;
};

/// RFC 1952 by zlib: a window of 32 KiB.
class GzipEncoder final : public Encoder {
 public:
  explicit GzipEncoder(int level) {
    constexpr int window_bits_and_gzip_head = 15 + 16;
    constexpr int memory_level = 8;
    if (deflateInit2(&stream_, level, Z_DEFLATED, window_bits_and_gzip_head, memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~GzipEncoder() override { deflateEnd(&stream_); }

  void encode(std::string_view bytes, After after, const Sink& sink) override {
    do {
      const std::string_view piece = bytes.substr(0, 1U << 30U);
      bytes.remove_prefix(piece.size());
      // zlib does not write through this pointer; its type is from before C had const.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // NOLINT
      stream_.avail_in = static_cast<uInt>(piece.size());
      const int how = after == After::end ? Z_FINISH : after == After::flush ? Z_SYNC_FLUSH : Z_NO_FLUSH;
      write_all(bytes.empty() ? how : Z_NO_FLUSH, sink);
    } while (!bytes.empty());
  }

 private:
  void write_all(int how, const Sink& sink) {
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data());  // NOLINT: bytes are bytes
      stream_.avail_out = static_cast<uInt>(out_.size());
      const int result = deflate(&stream_, how);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        throw std::runtime_error("zlib failed: " + std::to_string(result));
      sink({out_.data(), out_.size() - stream_.avail_out});
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
};

/// RFC 7932 by libbrotlienc.
class BrotliEncoder final : public Encoder {
 public:
  BrotliEncoder(int quality, int window_bits)
      : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!state_) throw std::bad_alloc();
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, static_cast<std::uint32_t>(quality));
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, static_cast<std::uint32_t>(window_bits));
  }

  void encode(std::string_view bytes, After after, const Sink& sink) override {
    const BrotliEncoderOperation how = after == After::end     ? BROTLI_OPERATION_FINISH
                                       : after == After::flush ? BROTLI_OPERATION_FLUSH
                                                               : BROTLI_OPERATION_PROCESS;
    std::size_t left = bytes.size();
    const auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());  // NOLINT: bytes are bytes
    do {
      std::size_t room = out_.size();
      auto* to = reinterpret_cast<std::uint8_t*>(out_.data());  // NOLINT
      if (BrotliEncoderCompressStream(state_.get(), how, &left, &next, &room, &to, nullptr) == BROTLI_FALSE)
        throw std::runtime_error("brotli failed");
      sink({out_.data(), out_.size() - room});
    } while (left != 0 || BrotliEncoderHasMoreOutput(state_.get()) == BROTLI_TRUE);
  }

 private:
  struct Destroy {
    void operator()(BrotliEncoderState* state) const noexcept { BrotliEncoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliEncoderState, Destroy> state_;
};

/// RFC 8878 by libzstd. Clients decode windows of up to 8 MiB (RFC 9659); this one is far below.
class ZstdEncoder final : public Encoder {
 public:
  ZstdEncoder(int level, int window_bits) : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
    check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, window_bits));
  }

  void encode(std::string_view bytes, After after, const Sink& sink) override {
    const ZSTD_EndDirective how = after == After::end     ? ZSTD_e_end
                                  : after == After::flush ? ZSTD_e_flush
                                                          : ZSTD_e_continue;
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool done = false;
    do {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, how);
      check(left);
      sink({out_.data(), out.pos});
      done = how == ZSTD_e_continue ? in.pos == in.size : left == 0;
    } while (!done);
  }

 private:
  static void check(std::size_t result) {
    if (ZSTD_isError(result) != 0)
      throw std::runtime_error("zstd failed: " + std::string(ZSTD_getErrorName(result)));
  }
  struct Destroy {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Destroy> context_;
};

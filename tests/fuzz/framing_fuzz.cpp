// Bytes of a connection: records are found, and told to requests, the same however the bytes were cut.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/protocol/demultiplexer.hpp"
#include "runtime/protocol/encoder.hpp"
#include "runtime/protocol/record_decoder.hpp"
#include "tests/fuzz/property.hpp"

namespace trivet::fuzz {
namespace {

using base::Bytes;
using protocol::RecordDecoder;
using protocol::RecordHeader;
using protocol::RecordStep;

struct Record {
  RecordHeader header;
  std::string content;
  bool is_whole = false;  ///< All of its content came; the padding need not have.

  friend bool operator==(const Record&, const Record&) = default;
};

struct Records {
  std::vector<Record> list;
  bool wrong_version = false;
  std::size_t to_boundary = 0;
  bool at_boundary = true;

  friend bool operator==(const Records&, const Records&) = default;
};

/// FastCGI 1.0, 3.3, read off the whole text at once.
Records reference(std::string_view text) {
  Records found;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    const std::size_t left = text.size() - at;
    found.at_boundary = false;
    if (byte(0) != 1) {
      found.wrong_version = true;
      break;
    }
    if (left < 8) {
      found.to_boundary = 8 - left;
      break;
    }
    const std::size_t length = byte(4) * 256U + byte(5);
    const std::size_t padding = byte(6);
    Record record;
    record.header = {byte(1), static_cast<std::uint16_t>(byte(2) * 256U + byte(3)),
                     static_cast<std::uint16_t>(length), byte(6)};
    record.content = text.substr(at + 8, length);
    record.is_whole = record.content.size() == length;
    found.list.push_back(record);
    if (left < 8 + length + padding) {
      found.to_boundary = 8 + length + padding - left;
      break;
    }
    at += 8 + length + padding;
    found.at_boundary = true;
  }
  return found;
}

/// Feeds pieces, each in a block of its own that is gone afterwards.
template <class Feed>
void in_pieces(Bytes input, Cuts cuts, bool one_by_one, const Feed& feed) {
  while (!input.empty()) {
    const std::size_t size = one_by_one ? 1 : cuts.next(input.size());
    const std::vector<std::uint8_t> piece(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
    feed(Bytes(piece));
    input = input.subspan(size);
  }
}

class Decoding {
 public:
  void feed(Bytes piece) {
    for (bool more = true; more;) {
      const RecordStep step = decoder_.next(piece);
      switch (step.kind) {
        case RecordStep::Kind::more:
          require(piece.empty(), "`more` is said only when all bytes were taken");
          more = false;
          break;
        case RecordStep::Kind::header:
          found_.list.push_back({decoder_.header(), {}, false});
          break;
        case RecordStep::Kind::content:
          require(!step.content.empty(), "a piece of content is never empty");
          found_.list.back().content += base::as_text(step.content);
          break;
        case RecordStep::Kind::end:
          found_.list.back().is_whole = true;
          break;
        case RecordStep::Kind::wrong_version:
          found_.wrong_version = true;
          more = false;
          break;
      }
    }
  }
  Records result() {
    found_.to_boundary = decoder_.bytes_to_boundary();
    found_.at_boundary = decoder_.at_boundary();
    return found_;
  }

 private:
  RecordDecoder decoder_;
  Records found_;
};

void check_decoder(Bytes input) {
  const Records expected = reference(base::as_text(input));
  Decoding whole;
  whole.feed(input);
  require(whole.result() == expected, "records are as the specification says");
  for (const bool one_by_one : {true, false}) {
    Decoding cut;
    in_pieces(input, Cuts(input), one_by_one, [&](Bytes piece) { cut.feed(piece); });
    require(cut.result() == expected, "records are the same however they were cut");
  }
  // What is written again is read again, and nothing of what was in reserved bytes and padding is kept.
  base::Buffer again;
  Records plain;
  for (const Record& record : expected.list) {
    if (!record.is_whole) break;
    const std::size_t at = protocol::begin_record(again);
    again.append(record.content);
    protocol::end_record(again, at, static_cast<protocol::RecordType>(record.header.type),
                         record.header.request_id);
    plain.list.push_back(record);
    plain.list.back().header.padding_length = static_cast<std::uint8_t>((8 - record.content.size() % 8) % 8);
    require(again.size() % 8 == 0, "what the encoder writes is padded to eight bytes");
  }
  Decoding encoded;
  encoded.feed(again.bytes());
  require(encoded.result() == plain, "a record that was decoded and encoded is the same record");
}

/// Streams beyond 64 KiB are split and come back whole. Much to copy, so not for each input.
void check_split(Bytes input) {
  if (input.size() < 3 || input[0] % 64 != 1) return;
  std::string content(input[1] * 1000U, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(input[i % input.size()]);
  base::Buffer out;
  protocol::append_stream(out, protocol::RecordType::standard_out, input[2], base::as_bytes(content));
  std::string joined;
  for (const Record& record : reference(base::as_text(out.bytes())).list) {
    require(record.is_whole && !record.content.empty(), "no record of a stream is empty or cut");
    require(record.header.request_id == input[2], "every record of a stream has its id");
    joined += record.content;
  }
  require(joined == content, "a stream that was split comes back whole");
}

/// Everything that can be seen of a Demultiplexer, and the order of calls that it promises.
class Watcher final : public protocol::ConnectionEvents {
 public:
  Watcher() : demultiplexer_(*this, out_, {100, 20}) {}

  void feed(Bytes piece) {
    const std::string_view failure = demultiplexer_.feed(piece);
    require(failure_.empty() || failure == failure_, "a failed connection says the same again");
    failure_ = failure;
  }

  struct Result {
    std::string events;
    std::string out;
    std::string failure;
    std::size_t open;
    std::uint64_t ignored;
    bool at_boundary;
    std::size_t to_boundary;

    friend bool operator==(const Result&, const Result&) = default;
  };
  Result result() {
    return {events_ + joined_,
            std::string(base::as_text(out_.bytes())),
            failure_,
            demultiplexer_.open_requests(),
            demultiplexer_.ignored_records(),
            demultiplexer_.at_record_boundary(),
            demultiplexer_.bytes_to_boundary()};
  }

 private:
  class Input final : public protocol::RequestInput {
   public:
    Input(Watcher& watcher, const protocol::BeginRequest& begin)
        : watcher_(watcher), id_(begin.id), role_(begin.role) {}

    void on_params(Bytes bytes) override { payload('p', 0, bytes); }
    void on_params_end() override { end('P', 0); }
    void on_body(Bytes bytes) override { payload('b', 1, bytes); }
    void on_body_end() override { end('B', 1); }
    void on_data(Bytes bytes) override { payload('d', 2, bytes); }
    void on_data_end() override { end('D', 2); }
    void on_aborted() override { over('A'); }
    void on_violation(std::string_view what) override {
      require(!what.empty() && !complete(), "only a request that is not complete can be violated");
      over('V');
    }

   private:
    /// How many streams the role has.
    [[nodiscard]] int streams() const {
      return role_ == protocol::Role::authorizer ? 1 : role_ == protocol::Role::responder ? 2 : 3;
    }
    [[nodiscard]] bool complete() const { return ended_ == streams(); }
    void payload(char what, int stream, Bytes bytes) {
      require(!bytes.empty(), "a payload is never empty");
      require(!over_ && ended_ == stream && stream < streams(), "streams come in the order of the role");
      watcher_.payload(id_, what, bytes);
    }
    void end(char what, int stream) {
      require(!over_ && ended_ == stream && stream < streams(), "streams end in the order of the role");
      ++ended_;
      require(watcher_.demultiplexer_.input_complete(id_) == complete(),
              "input is complete with the last stream of the role");
      // What is still to come, or happens after the answer, depends on who answers when.
      const bool early = id_ % 4 == 1 && stream == 0;
      watcher_.note(id_, what, complete() || early);
    }
    void over(char what) {
      require(!over_, "abort and violation are the last call");
      over_ = true;
      watcher_.note(id_, what, id_ % 4 != 2);
    }

    Watcher& watcher_;
    std::uint16_t id_;
    protocol::Role role_;
    int ended_ = 0;
    bool over_ = false;
  };

  protocol::RequestInput* on_begin(const protocol::BeginRequest& begin) override {
    require(begin.id != 0, "no request has id 0");
    require(inputs_.find(begin.id) == inputs_.end(), "no request begins with an active id");
    note(begin.id, begin.keep_connection ? 'k' : 'c', false);
    if (begin.id % 4 == 3) return nullptr;
    auto& input = inputs_[begin.id] = std::make_unique<Input>(*this, begin);
    return input.get();
  }
  void on_unknown_role(std::uint16_t id, bool keep_connection) override {
    note(id, keep_connection ? 'u' : 'U', false);
  }
  void payload(std::uint16_t id, char what, Bytes bytes) {
    const std::string stream = std::to_string(id) + what;
    if (stream != stream_) {
      events_ += joined_;
      joined_ = '\n' + stream;
      stream_ = stream;
    }
    joined_ += base::as_text(bytes);
  }
  void note(std::uint16_t id, char what, bool release) {
    events_ += joined_ + '\n' + std::to_string(id) + what;
    joined_.clear();
    stream_.clear();
    if (!release) return;
    demultiplexer_.release(id);
    // Freed inside its own call, as late as is allowed.
    gone_ = std::move(inputs_[id]);
    inputs_.erase(id);
  }

  base::Buffer out_;
  protocol::Demultiplexer demultiplexer_;
  std::map<std::uint16_t, std::unique_ptr<Input>> inputs_;
  std::unique_ptr<Input> gone_;
  std::string events_;
  std::string joined_;
  std::string stream_;
  std::string failure_;
};

void check_demultiplexer(Bytes input) {
  Watcher whole;
  whole.feed(input);
  const Watcher::Result expected = whole.result();
  require(expected.out.size() <= input.size() * 3, "answers grow by less than three bytes per byte");
  for (const Record& record : reference(expected.out).list) {
    require(record.is_whole, "answers are whole records");
    const auto type = static_cast<protocol::RecordType>(record.header.type);
    const bool is_management =
        type == protocol::RecordType::get_values_result || type == protocol::RecordType::unknown_type;
    require(is_management == (record.header.request_id == 0), "management answers have id 0, others not");
    require(is_management || (type == protocol::RecordType::end_request && record.content[4] == 3),
            "a demultiplexer ends only requests of unknown roles");
  }
  for (const bool one_by_one : {true, false}) {
    Watcher cut;
    in_pieces(input, Cuts(input), one_by_one, [&](Bytes piece) { cut.feed(piece); });
    require(cut.result() == expected, "requests are told the same however the bytes were cut");
  }
}

}  // namespace
}  // namespace trivet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const trivet::base::Bytes input(data, size);
  trivet::fuzz::check_decoder(input);
  trivet::fuzz::check_split(input);
  trivet::fuzz::check_demultiplexer(input);
  return 0;
}

#include "runtime/source/request_params.hpp"

#include <algorithm>

#include "runtime/protocol/encoder.hpp"

namespace trivet::source {
namespace {

using protocol::RecordType;

class Pairs {
 public:
  Pairs(base::Buffer& out, std::uint16_t id) noexcept : out_(out), id_(id) {}

  void add(std::string_view name, std::string_view value) {
    constexpr std::size_t longest_lengths = 8;
    if (!record_.empty() &&
        record_.size() + longest_lengths + name.size() + value.size() > protocol::split_content) {
      end_record();
    }
    protocol::append_pair(record_, name, value);
  }
  void end() {
    end_record();
    protocol::append_stream_end(out_, RecordType::params, id_);
  }

 private:
  void end_record() {
    protocol::append_stream(out_, RecordType::params, id_, record_.bytes());
    record_.clear();
  }

  base::Buffer& out_;
  base::Buffer record_;
  std::uint16_t id_;
};

}  // namespace

void append_request_params(base::Buffer& out, std::uint16_t id, const cgi::Params& params,
                           const ParamOverrides& overrides) {
  Pairs pairs(out, id);
  for (const cgi::Param& each : params.all()) {
    if (each.name.starts_with("TRIVET_")) continue;
    const bool replaced = std::any_of(overrides.begin(), overrides.end(),
                                      [&](const auto& over) { return over.first == each.name; });
    if (!replaced) pairs.add(each.name, each.value);
  }
  for (const auto& [name, value] : overrides) {
    if (!value.empty()) pairs.add(name, value);
  }
  pairs.end();
}

}  // namespace trivet::source

#include "runtime/protocol/answer_decoder.hpp"

#include <algorithm>

namespace trivet::protocol {

AnswerDecoder::Fault AnswerDecoder::judge() const noexcept {
  const RecordHeader& header = records_.header();
  switch (static_cast<RecordType>(header.type)) {
    case RecordType::standard_out:
    case RecordType::standard_error:
      return header.request_id == id_ ? Fault::none : Fault::unexpected_record;
    case RecordType::end_request:
      if (header.request_id != id_) return Fault::unexpected_record;
      return header.content_length == end_.size() ? Fault::none : Fault::end_of_other_size;
    case RecordType::get_values_result:
    case RecordType::unknown_type:
      return header.request_id == 0 ? Fault::none : Fault::unexpected_record;
    case RecordType::begin_request:
    case RecordType::abort_request:
    case RecordType::params:
    case RecordType::standard_in:
    case RecordType::data:
    case RecordType::get_values:
      break;
  }
  return Fault::unexpected_record;
}

AnswerStep AnswerDecoder::next(base::Bytes& input) noexcept {
  while (fault_ == Fault::none) {
    const RecordStep step = records_.next(input);
    const auto type = static_cast<RecordType>(records_.header().type);
    switch (step.kind) {
      case RecordStep::Kind::more:
        return {AnswerStep::Kind::more, {}};
      case RecordStep::Kind::wrong_version:
        fault_ = Fault::wrong_version;
        break;
      case RecordStep::Kind::header:
        end_taken_ = 0;
        fault_ = judge();
        break;
      case RecordStep::Kind::content:
        if (type == RecordType::standard_out) return {AnswerStep::Kind::output, step.content};
        if (type == RecordType::standard_error) return {AnswerStep::Kind::error_output, step.content};
        if (type == RecordType::end_request) {
          // judge() saw to it that the record is as long as what it is copied into.
          std::copy(step.content.begin(), step.content.end(),
                    end_.begin() + static_cast<std::ptrdiff_t>(end_taken_));
          end_taken_ += step.content.size();
        }
        break;
      case RecordStep::Kind::end:
        if (type == RecordType::end_request) return {AnswerStep::Kind::ended, {}};
        if (type == RecordType::standard_out && records_.header().content_length == 0) {
          return {AnswerStep::Kind::output_end, {}};
        }
        break;
    }
  }
  return {AnswerStep::Kind::broken, {}};
}

std::uint32_t AnswerDecoder::app_status() const noexcept {
  return std::uint32_t{end_[0]} << 24U | std::uint32_t{end_[1]} << 16U | std::uint32_t{end_[2]} << 8U |
         std::uint32_t{end_[3]};
}

bool AnswerDecoder::finish(base::Bytes input) const noexcept {
  return fault_ == Fault::none && input.empty() && records_.at_boundary();
}

}  // namespace trivet::protocol

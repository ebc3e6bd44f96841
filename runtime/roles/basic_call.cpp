#include "runtime/roles/stage.hpp"

namespace trivet::roles {
namespace {
constexpr std::size_t longest_text = 1024;
}

trivet_status BasicCall::info(trivet_request_info& info) {
  const std::uint32_t size = info.size;
  if (size < sizeof(trivet_request_info)) return TRIVET_E_ARGUMENT;
  info.role = role_;
  info.number = facts_->number;
  info.content_length = facts_->content_length;
  info.data_length = facts_->data_length;
  info.route = plugin::text(facts_->route);
  info.id = plugin::text(facts_->request_id);
  info.phase = facts_->phase;
  return TRIVET_OK;
}

trivet_status BasicCall::param(std::string_view name, trivet_text& value) {
  const cgi::Param* found = facts_->params->find(name);
  if (found == nullptr) return TRIVET_E_ABSENT;
  value = plugin::text(found->value);
  return TRIVET_OK;
}

trivet_status BasicCall::params(const trivet_param*& first, std::size_t& count) {
  if (listed_.empty()) {
    for (const cgi::Param& each : facts_->params->all()) {
      listed_.push_back({plugin::text(each.name), plugin::text(each.value)});
    }
  }
  first = listed_.data();
  count = listed_.size();
  return TRIVET_OK;
}

trivet_status BasicCall::read(trivet_text& /*chunk*/, trivet_end& /*end*/) { return TRIVET_E_STATE; }

trivet_status BasicCall::set_status(std::uint32_t status) {
  cgi::ResponseHead* head = current_head();
  if (head == nullptr) return TRIVET_E_STATE;
  if (status > 599 || !head->set_status(static_cast<int>(status))) {
    return refused_field("a status is 200 to 599", std::to_string(status));
  }
  return TRIVET_OK;
}

trivet_status BasicCall::refused_field(std::string_view why, std::string_view name) {
  facts_->log->warn("the plugin's response head was refused", {{"plugin", plugin_->name()},
                                                               {"route", facts_->route},
                                                               {"what", name},
                                                               {"why", why},
                                                               {"request", facts_->request_id}});
  return TRIVET_E_ARGUMENT;
}

trivet_status BasicCall::add_header(std::string_view name, std::string_view value) {
  cgi::ResponseHead* head = current_head();
  if (head == nullptr) return TRIVET_E_STATE;
  const std::string_view wrong = head->add(name, value);
  return wrong.empty() ? TRIVET_OK : refused_field(wrong, name);
}

trivet_status BasicCall::set_header(std::string_view name, std::string_view value) {
  cgi::ResponseHead* head = current_head();
  if (head == nullptr) return TRIVET_E_STATE;
  const std::string_view wrong = head->set(name, value);
  return wrong.empty() ? TRIVET_OK : refused_field(wrong, name);
}

trivet_status BasicCall::remove_header(std::string_view name) {
  cgi::ResponseHead* head = current_head();
  if (head == nullptr) return TRIVET_E_STATE;
  head->remove(name);
  return TRIVET_OK;
}

trivet_status BasicCall::get_status(std::uint32_t& status) {
  const cgi::ResponseHead* head = current_head();
  if (head == nullptr) return TRIVET_E_STATE;
  status = static_cast<std::uint32_t>(head->status());
  return TRIVET_OK;
}

trivet_status BasicCall::get_header(std::string_view name, trivet_text& value) {
  const cgi::ResponseHead* head = current_head();
  if (head == nullptr) return TRIVET_E_STATE;
  const auto found = head->find(name);
  if (!found) return TRIVET_E_ABSENT;
  value = plugin::text(*found);
  return TRIVET_OK;
}

void BasicCall::fail(std::string_view what) { failure_ = what.substr(0, longest_text); }

void BasicCall::log(trivet_level level, std::string_view line) {
  const log::Level as = level >= TRIVET_LEVEL_ERROR  ? log::Level::error
                        : level == TRIVET_LEVEL_WARN ? log::Level::warn
                        : level == TRIVET_LEVEL_INFO ? log::Level::info
                                                     : log::Level::debug;
  if (!facts_->log->enabled(as)) return;
  std::string scratch;
  facts_->log->write(as, "plugin",
                     {{"plugin", plugin_->name()},
                      {"route", facts_->route},
                      {"says", redacted(*facts_->params, facts_->journal->redact, line, scratch)},
                      {"request", facts_->request_id}});
}

std::string BasicCall::failure_text(trivet_status status) const {
  std::string text = "plugin \"" + plugin_->name() + "\" ";
  if (!failure_.empty()) return text + "failed: " + failure_;
  return text + "failed with status " + std::to_string(status) + " and said no reason";
}

}  // namespace trivet::roles

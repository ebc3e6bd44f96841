// Response heads and verdicts: whatever a plugin asks for, what goes out is one well-formed head; and heads
// of others, which `trivet call` reads, are read the same however they are cut.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cgi/response_head.hpp"
#include "runtime/cgi/verdict.hpp"
#include "runtime/cli/head_parser.hpp"
#include "tests/fuzz/property.hpp"

namespace trivet::fuzz {
namespace {

using base::Bytes;

struct Field {
  std::string name;
  std::string value;

  friend bool operator==(const Field&, const Field&) = default;
};
using Fields = std::vector<Field>;

std::string lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

bool holds_only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

constexpr std::string_view digits = "0123456789";
constexpr std::string_view capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
constexpr std::string_view token_characters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < 32 && c != '\t') || c == 127; });
}

bool may_be_field(const Field& field) {
  const std::string name = lower_case(field.name);
  for (const char* hosts : {"status", "connection", "keep-alive", "proxy-connection", "te", "trailer",
                            "transfer-encoding", "upgrade"}) {
    if (name == hosts) return false;
  }
  if (name.starts_with("variable-") || name.empty() || !holds_only(name, token_characters)) return false;
  if (name == "content-length") {
    // At most 2^63-1: leading zeros do not count.
    const std::string significant =
        field.value.substr(std::min(field.value.find_first_not_of('0'), field.value.size()));
    if (field.value.empty() || !holds_only(field.value, digits) || significant.size() > 19 ||
        (significant.size() == 19 && significant > "9223372036854775807"))
      return false;
  }
  return !has_control(field.value);
}

bool may_be_variable(const Field& variable) {
  for (const char* taken :
       {"HTTP_", "CONTENT_", "SCRIPT_", "PATH", "REQUEST_", "SERVER_", "LD_", "TRIVET_"}) {
    if (variable.name.starts_with(taken)) return false;
  }
  return !variable.name.empty() && holds_only(variable.name, capitals) && !has_control(variable.value);
}

/// The lines of a head that has exactly one form: each ends in CRLF, the last is empty, nothing else is a CR
/// or LF.
Fields strict_fields(std::string_view head) {
  require(head.ends_with("\r\n\r\n"), "a head ends with an empty line");
  require(std::count(head.begin(), head.end(), '\r') == std::count(head.begin(), head.end(), '\n'),
          "CR and LF come together");
  Fields fields;
  head.remove_suffix(2);
  while (!head.empty()) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    const std::size_t colon = line.find(": ");
    require(!line.empty() && colon != std::string_view::npos && colon > 0, "each line is a field");
    require(!has_control(line), "no line holds a control byte");
    fields.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
  }
  require(!fields.empty() && fields[0].name == "Status" && fields[0].value.size() > 4 &&
              holds_only(std::string_view(fields[0].value).substr(0, 3), digits) && fields[0].value[3] == ' ',
          "Status comes first, with a number and a reason");
  return fields;
}

/// A head as the plugin asked for it, kept in the simplest way.
struct Model {
  std::optional<int> status;
  Fields fields;

  [[nodiscard]] bool has(const std::string& name) const {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const Field& each) { return lower_case(each.name) == name; });
  }
  void remove(const std::string& name) {
    std::erase_if(fields, [&](const Field& each) { return lower_case(each.name) == lower_case(name); });
  }
  [[nodiscard]] int answer_status() const { return status ? *status : has("location") ? 302 : 200; }

  /// The fields behind Status that go out.
  [[nodiscard]] Fields answer(const cgi::HeadRules& rules) const {
    const bool never_a_body = answer_status() == 204 || answer_status() == 304;
    Fields out;
    bool has_type = false;
    bool has_length = rules.content_length.has_value();
    for (const Field& field : fields) {
      const std::string name = lower_case(field.name);
      bool* only = name == "content-type" ? &has_type : name == "content-length" ? &has_length : nullptr;
      if (only != nullptr && (never_a_body || *only)) continue;
      if (only != nullptr) *only = true;
      out.push_back(field);
    }
    if (never_a_body) return out;
    if (!has_type && rules.body_may_follow) out.push_back({"Content-Type", "text/plain; charset=utf-8"});
    if (rules.content_length) out.push_back({"Content-Length", std::to_string(*rules.content_length)});
    return out;
  }
};

Field read_field(Script& script) {
  static constexpr const char* names[] = {
      "Content-Length", "content-type", "Location", "STATUS", "Transfer-encoding",
      "Variable-X",     "Set-Cookie",   "X",        "TE"};
  const std::size_t choice = script.below(16);
  Field field;
  field.name = choice < std::size(names) ? std::string(names[choice]) : std::string(script.text());
  field.value = script.text();
  return field;
}

void check_emitted(const cgi::ResponseHead& head, const Model& model, const cgi::HeadRules& rules) {
  base::Buffer out;
  out.append("before");
  const std::string_view wrong = cgi::emit(head, rules, out);
  const Fields expected = model.answer(rules);
  if (!wrong.empty()) {
    require(base::as_text(out.bytes()) == "before", "a head that is refused leaves nothing behind");
    std::size_t size = 64;  // The status line is shorter.
    for (const Field& field : expected) size += field.name.size() + field.value.size() + 4;
    require(expected.size() + 1 > rules.max_fields || size > rules.max_bytes,
            "only what is too large is refused");
    return;
  }
  const std::string_view text = base::as_text(out.bytes()).substr(6);
  require(text.size() <= rules.max_bytes, "a head is within its bytes");
  Fields fields = strict_fields(text);
  require(fields.size() <= rules.max_fields, "a head is within its fields");
  require(fields[0].value.substr(0, 3) == std::to_string(model.answer_status()),
          "Status is the one that was set");
  fields.erase(fields.begin());
  require(fields == expected, "what was taken goes out, as it was, in its order");

  cli::HeadParser parser;
  require(parser.feed(base::as_bytes(text)).empty() && parser.state() == cli::HeadParser::State::complete,
          "what the host writes, its client reads");
  require(parser.status() == model.answer_status(), "the client reads the same status");
}

void check_head(Script script) {
  cgi::ResponseHead head;
  Model model;
  cgi::HeadRules rules;
  rules.max_bytes = 512 + script.byte() * 26U;
  rules.max_fields = 1 + script.below(90);
  rules.body_may_follow = script.below(2) == 0;
  if (script.below(2) == 0) rules.content_length = script.u16() * 1000000007ULL;
  while (!script.empty()) {
    const std::size_t what = script.below(8);
    if (what == 0) {
      const int status = script.u16() % 700;
      require(head.set_status(status) == (status >= 200 && status <= 599), "a status is 200 to 599");
      if (status >= 200 && status <= 599) model.status = status;
    } else if (what == 1) {
      const Field field = read_field(script);
      head.remove(field.name);
      model.remove(field.name);
    } else {
      const Field field = read_field(script);
      const bool replace = what == 2;
      const std::string_view wrong =
          replace ? head.set(field.name, field.value) : head.add(field.name, field.value);
      require(wrong.empty() == may_be_field(field), "fields are refused as the rule says");
      if (!wrong.empty()) continue;
      if (replace) model.remove(field.name);
      model.fields.push_back(field);
    }
  }
  require(head.size() == model.fields.size() && head.has_status() == model.status.has_value(),
          "what was taken is kept");
  for (std::size_t i = 0; i < head.size(); ++i) {
    require(Field{std::string(head.at(i).name), std::string(head.at(i).value)} == model.fields[i],
            "fields are kept in order");
  }
  check_emitted(head, model, rules);
}

void check_verdict(Script script) {
  cgi::Verdict verdict;
  Fields expected;
  int decisions = 0;  // 1 allow, 2 deny, 4 a deny with a status that none may have
  std::vector<std::string> declared;
  while (!script.empty()) {
    const std::size_t what = script.below(8);
    if (what == 0) {
      require(verdict.allow().empty() == (decisions == 0 || decisions == 1), "an allow counts only alone");
      decisions |= 1;
    } else if (what == 1) {
      const int status = script.u16() % 700;
      const bool is_denial = (status >= 301 && status <= 303) || status == 307 || status == 308 ||
                             (status >= 400 && status <= 599);
      const bool taken = verdict.deny(status).empty();
      require(!taken || is_denial, "a deny has a status that denies");
      decisions |= is_denial ? 2 : 4;
    } else {
      const Field variable{std::string(script.text()), std::string(script.text())};
      const bool taken = verdict.set_variable(variable.name, variable.value).empty();
      const auto same = [&](const Field& each) { return each.name == variable.name; };
      const bool fits = expected.size() < 64 || std::any_of(expected.begin(), expected.end(), same);
      require(taken == (fits && may_be_variable(variable)), "variables are refused as the rule says");
      if (!taken) continue;
      std::erase_if(expected, same);
      expected.push_back(variable);
      if (what % 2 == 0) declared.push_back(variable.name);
    }
    require((decisions & 6) == 0 || verdict.decision() != cgi::Verdict::Decision::allow,
            "nothing allows after a deny");
    require(decisions != 0 || verdict.decision() == cgi::Verdict::Decision::none,
            "saying nothing is no decision");
  }
  base::Buffer out;
  const auto find = [&](const std::string& name) { return verdict.find_variable(name); };
  if (!cgi::emit_allow(declared, find, {}, out).empty()) {
    require(out.empty(), "an answer that is too large leaves nothing behind");
    return;
  }
  Fields wanted = {{"Status", "200 OK"}};
  for (const std::string& name : declared) {
    const auto found =
        std::find_if(expected.begin(), expected.end(), [&](const Field& each) { return each.name == name; });
    wanted.push_back({"Variable-" + name, found->value});
  }
  require(strict_fields(base::as_text(out.bytes())) == wanted,
          "an allow is Status and the declared variables alone");
}

struct Parsed {
  cli::HeadParser::State state;
  std::optional<int> status;
  std::string head;
  std::string body;

  friend bool operator==(const Parsed&, const Parsed&) = default;
};

Parsed parse(Bytes input, bool one_by_one) {
  cli::HeadParser parser;
  Parsed parsed{};
  Cuts cuts(input);
  while (!input.empty()) {
    const std::size_t size = one_by_one ? 1 : cuts.next(input.size());
    parsed.body += base::as_text(parser.feed(input.first(size)));
    input = input.subspan(size);
  }
  parsed.state = parser.state();
  require((parsed.state == cli::HeadParser::State::malformed) == !parser.problem().empty(),
          "a malformed head says why");
  if (parsed.state != cli::HeadParser::State::complete) return parsed;
  parsed.status = parser.status();
  parsed.head = parser.text();
  return parsed;
}

void check_parser(Bytes input) {
  cli::HeadParser parser;
  const Bytes body = parser.feed(input);
  const Parsed cut = parse(input, false);
  require(cut == parse(input, true) && cut.state == parser.state() && cut.body == base::as_text(body),
          "heads are read the same however they were cut");
  if (cut.state != cli::HeadParser::State::complete) return;
  // Each line of the text is a field with its colon, and with the empty line they are what came before the
  // body.
  std::string plain(base::as_text(input.first(input.size() - body.size())));
  std::string lines = cut.head + '\n';
  std::erase(plain, '\r');
  std::erase(lines, '\r');
  require(lines == plain, "head and body together are what came");
  require(!cut.status || (*cut.status >= 0 && *cut.status <= 999), "a status has three digits");
}

}  // namespace
}  // namespace trivet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const trivet::base::Bytes input(data, size);
  trivet::fuzz::check_parser(input);
  trivet::fuzz::check_head(trivet::fuzz::Script(input));
  trivet::fuzz::check_verdict(trivet::fuzz::Script(input));
  return 0;
}

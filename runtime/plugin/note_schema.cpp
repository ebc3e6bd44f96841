#include "runtime/plugin/note_schema.hpp"

#include <boost/json.hpp>
#include <utility>

namespace trivet::plugin {

namespace {

namespace json = boost::json;
using config::SettingSchema;
using Type = SettingSchema::Type;

constexpr std::pair<std::string_view, Type> types[] = {
    {"string", Type::text},     {"integer", Type::integer}, {"number", Type::real},
    {"boolean", Type::boolean}, {"array", Type::list},      {"object", Type::table},
};

class SchemaParser {
 public:
  explicit SchemaParser(std::string& broken) : broken_(broken) {}

  bool parse(const json::value& json, SettingSchema& out) {
    if (!json.is_object()) return fail("is no object");
    const json::object& object = json.get_object();
    if (!read_type(object, out)) return false;
    switch (out.type) {
      case Type::integer:
      case Type::real:
        return read_bounds(object, "minimum", "maximum", out);
      case Type::text:
        return read_bounds(object, "minLength", "maxLength", out) && read_choices(object, out);
      case Type::list:
        return read_bounds(object, "minItems", "maxItems", out) && read_items(object, out);
      case Type::table:
        return read_properties(object, out) && read_required(object, out) && read_additional(object, out);
      case Type::boolean:
      case Type::any:
        break;
    }
    return true;
  }

 private:
  static bool is(const json::value& value, bool truth) {
    return value.is_bool() && value.get_bool() == truth;
  }

  bool fail(std::string_view what) {
    if (broken_.empty()) broken_ = what;
    return false;
  }

  bool read_type(const json::object& object, SettingSchema& out) {
    const json::value* type = object.if_contains("type");
    if (type == nullptr) return true;
    const std::string_view word = type->is_string() ? std::string_view(type->get_string()) : "";
    for (const auto& [name, each] : types) {
      if (word == name) {
        out.type = each;
        return true;
      }
    }
    return fail("has a type that is none of string, integer, number, boolean, array, object");
  }

  bool read_bounds(const json::object& object, std::string_view least, std::string_view most,
                   SettingSchema& out) {
    const auto read = [&](std::string_view key, double& bound) {
      const json::value* value = object.if_contains(key);
      if (value == nullptr) return true;
      if (!value->is_number()) return fail("has a bound that is no number");
      bound = value->to_number<double>();
      return true;
    };
    if (!read(least, out.least) || !read(most, out.most)) return false;
    return out.least <= out.most || fail("has a smallest value above its largest");
  }

  bool read_choices(const json::object& object, SettingSchema& out) {
    const json::value* words = object.if_contains("enum");
    if (words == nullptr) return true;
    if (!words->is_array() || words->get_array().empty()) return fail("has an enum that is no list of texts");
    for (const json::value& each : words->get_array()) {
      if (!each.is_string()) return fail("has an enum that is no list of texts");
      out.choices.emplace_back(each.get_string());
    }
    return true;
  }

  bool read_items(const json::object& object, SettingSchema& out) {
    const json::value* items = object.if_contains("items");
    return items == nullptr || parse(*items, out.entries.emplace_back());
  }

  bool read_properties(const json::object& object, SettingSchema& out) {
    const json::value* properties = object.if_contains("properties");
    if (properties == nullptr) return true;
    if (!properties->is_object()) return fail("has properties that are no object");
    for (const auto& [key, value] : properties->get_object()) {
      if (!parse(value, out.keys[std::string(key)])) return false;
    }
    return true;
  }

  bool read_required(const json::object& object, SettingSchema& out) {
    const json::value* required = object.if_contains("required");
    if (required == nullptr) return true;
    if (!required->is_array()) return fail("requires what is no list of keys");
    for (const json::value& each : required->get_array()) {
      const auto found =
          each.is_string() ? out.keys.find(std::string_view(each.get_string())) : out.keys.end();
      if (found == out.keys.end()) return fail("requires a key that is not among its properties");
      found->second.required = true;
    }
    return true;
  }

  /// As JSON Schema has it, anything else is allowed where nothing is said.
  bool read_additional(const json::object& object, SettingSchema& out) {
    const json::value* additional = object.if_contains("additionalProperties");
    if (additional == nullptr || is(*additional, true)) {
      out.entries.emplace_back();
      return true;
    }
    return is(*additional, false) || parse(*additional, out.entries.emplace_back());
  }

  std::string& broken_;
};

}  // namespace

std::optional<SettingSchema> parse_schema(const json::value& json, std::string& broken) {
  SettingSchema schema;
  if (!SchemaParser(broken).parse(json, schema)) return std::nullopt;
  if (schema.type != Type::table) {
    broken = "is not of type object";
    return std::nullopt;
  }
  return schema;
}

}  // namespace trivet::plugin

#include <algorithm>

#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

/// `filter` of a route: names of plugins, and tables that say which responses one is for.
namespace trivet::config {
namespace {

constexpr std::string_view forms =
    "the name of a filter plugin, { plugin = \"NAME\", ... }, or a list of these";

/// A token (RFC 9110, 5.6.2) in lower case.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') ||
           std::string_view("!#$%&'+-.^_`|~").find(each) != std::string_view::npos;
  });
}

/// What is wrong with a media type in lower case, and a cure; both empty if nothing.
struct TypeProblem {
  std::string message;
  std::string hint;
};
TypeProblem find_type_problem(std::string_view type) {
  constexpr std::string_view example = "such as \"text/html\" or \"text/*\"";
  if (type == "*/*" || type == "*") return {"is every type", "leave `types` out"};
  if (const std::size_t semicolon = type.find(';'); semicolon != std::string_view::npos) {
    std::string_view bare = type.substr(0, semicolon);
    while (bare.ends_with(' ')) bare.remove_suffix(1);
    return {"has parameters: types are compared without", "did you mean " + in_quotes(bare) + "?"};
  }
  const std::size_t slash = type.find('/');
  if (slash == std::string_view::npos) return {"is not a media type", std::string(example)};
  const std::string_view rest = type.substr(slash + 1);
  if (!is_token(type.substr(0, slash)) || (rest != "*" && !is_token(rest)))
    return {"is not a media type", std::string(example)};
  return {};
}

void read_types(TableReader& reader, std::vector<std::string>& out) {
  std::vector<NameAt> types;
  reader.texts("types", ListRule::some_distinct, types);
  for (const NameAt& each : types) {
    std::string type = each.name;
    for (char& letter : type) {
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + 32);
    }
    if (TypeProblem problem = find_type_problem(type); !problem.message.empty()) {
      reader.sink().error(each.span, in_quotes(each.name) + " " + problem.message, std::move(problem.hint));
    } else if (std::find(out.begin(), out.end(), type) != out.end()) {
      reader.sink().error(each.span, "`types` holds " + in_quotes(type) + " twice");
    } else {
      out.push_back(std::move(type));
    }
  }
}

void read_status(TableReader& reader, std::vector<std::uint32_t>& out) {
  constexpr std::int64_t least = 200;
  constexpr std::int64_t most = 599;
  const Entry* entry = reader.find("status");
  if (entry == nullptr) return;
  const List* list = entry->value.list();
  if (list == nullptr) {
    const auto* number = std::get_if<std::int64_t>(&entry->value.value);
    reader.sink().error(entry->value.span,
                        "`status` expects a list of whole numbers, found " + describe(entry->value),
                        number == nullptr ? "such as [200]" : "write [" + std::to_string(*number) + "]");
    return;
  }
  if (list->empty()) {
    reader.sink().error(entry->value.span, "`status` is an empty list", "leave it out for the default");
  }
  for (const Node& each : *list) {
    const auto* number = std::get_if<std::int64_t>(&each.value);
    if (number == nullptr) {
      reader.sink().error(each.span, "`status` expects whole numbers, found " + describe(each));
    } else if (*number < least || *number > most) {
      reader.sink().error(each.span, "`status` holds " + std::to_string(*number) + ", outside " +
                                         std::to_string(least) + " to " + std::to_string(most));
    } else if (const auto status = static_cast<std::uint32_t>(*number);
               std::find(out.begin(), out.end(), status) != out.end()) {
      reader.sink().error(each.span, "`status` holds " + std::to_string(status) + " twice");
    } else {
      out.push_back(status);
    }
  }
}

/// One filter with its conditions; its name is known even where they are wrong.
void read_stage(TableReader& reader, const Span& span, RouteDraft& out) {
  constexpr SizeRange sizes{1, 1ULL << 30U};
  FilterStage stage;
  const Entry* plugin = reader.text("plugin", stage.plugin);
  if (plugin == nullptr && reader.find("plugin") == nullptr) {
    reader.sink().error(span, "a table in `filter` needs `plugin`", "plugin = \"NAME\"");
  }
  read_types(reader, stage.types);
  read_methods(reader, stage.methods);
  read_status(reader, stage.status);
  reader.size("min_size", sizes, stage.min_size);
  std::size_t encoded = 0;
  if (reader.word("on_encoded", {"fail", "skip"}, encoded) != nullptr)
    stage.on_encoded = encoded == 1 ? FilterStage::OnEncoded::skip : FilterStage::OnEncoded::fail;
  reader.finish();
  if (plugin == nullptr) return;
  stage.place = reader.sink().place(plugin->value.span);
  out.filter.push_back({stage.plugin, plugin->value.span});
  out.route.filter.push_back(std::move(stage));
}

}  // namespace

void read_filters(TableReader& reader, RouteDraft& out) {
  const Entry* entry = reader.find("filter");
  if (entry == nullptr) return;
  Sink& sink = reader.sink();
  const auto add = [&](const Node& node) {
    if (const Table* table = node.table()) {
      TableReader inner(sink, *table, "`filter`");
      read_stage(inner, node.span, out);
    } else if (node.text() == nullptr) {
      sink.error(node.span, "`filter` expects names and tables, found " + describe(node), std::string(forms));
    } else if (const std::string* text = reader.as_text(node, "filter")) {
      out.filter.push_back({*text, node.span});
      out.route.filter.push_back({.plugin = *text, .place = sink.place(node.span)});
    }
  };
  const List* list = entry->value.list();
  if (list == nullptr) {
    add(entry->value);
    return;
  }
  if (list->empty()) sink.error(entry->value.span, "`filter` is an empty list", "leave it out");
  for (const Node& each : *list) add(each);
}

}  // namespace trivet::config

#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "runtime/config/schema.hpp"

namespace trivet::plugin {

/// The settings that a note declares: a JSON Schema (draft 2020-12) in its members type, properties,
/// required, additionalProperties, items, minimum, maximum, minLength, maxLength, minItems, maxItems and enum
/// of texts. Other members restrict nothing here; the plugin itself may still refuse.
///
/// Errors  Nothing, and in `broken` what is wrong.
[[nodiscard]] std::optional<config::SettingSchema> parse_schema(const boost::json::value& json,
                                                                std::string& broken);

}  // namespace trivet::plugin

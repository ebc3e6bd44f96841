#pragma once

#include <string_view>

namespace trivet::cgi {

/// The media type that a file name's extension stands for; `application/octet-stream` when it is not known.
[[nodiscard]] std::string_view media_type(std::string_view file_name) noexcept;

}  // namespace trivet::cgi

#pragma once

#include "runtime/config/sink.hpp"

namespace trivet::config {

/// Puts the value of the variable NAME in place of each `${env:NAME}` in the texts below `node`; keys and
/// other values are left alone. What cannot be replaced is told, and stays: no reader takes such a text.
///
/// A value may be a secret: from now on `sink` writes the text of the file where a message would show it.
///
/// Thread  [startup].
void fill_in_environment(Sink& sink, Node& node);

}  // namespace trivet::config

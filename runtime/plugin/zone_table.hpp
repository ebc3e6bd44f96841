#pragma once

#include <trivet/abi.h>

namespace trivet::plugin {

/// What plugins do with shared zones: checks what a plugin passes and forwards to the process::Zone behind
/// the handle. Part of host_table().
///
/// Thread  As <trivet/abi.h> says for each.
extern const trivet_zones zone_table;

}  // namespace trivet::plugin

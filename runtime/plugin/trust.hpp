#pragma once

#include <sys/types.h>

#include <string>

namespace trivet::plugin {

/// Why somebody who is not to decide what code runs here could put other code in the place of this file; or
/// empty. Root, the user of this process and `also` may. Looked at are the open file and each folder on the
/// way to it, as the path names them and where symbolic links lead, up to those above this program itself:
/// who could change these could change the program. What a group may write is fine where the group is one of
/// these users' own; a folder that many may write is fine where only owners can take away (sticky, as /tmp),
/// not for the file itself.
///
/// `path` is absolute. Access control lists are not looked at.
///
/// Thread  [startup]
[[nodiscard]] std::string refuse_writers(const std::string& path, int descriptor, uid_t also);

/// Who owns a file; root where that cannot be told.
[[nodiscard]] uid_t owner_of(const std::string& path) noexcept;

}  // namespace trivet::plugin

#include <utility>

#include "runtime/base/packing.hpp"
#include "runtime/config/load.hpp"

namespace trivet::config {

using base::Packer;
using base::Unpacker;

std::string pack(const Snapshot& snapshot) {
  Packer packer;
  packer.text(snapshot.path);
  packer.text(snapshot.text);
  packer.number(snapshot.included.size());
  for (const Source& each : snapshot.included) {
    packer.text(each.path);
    packer.text(each.text);
  }
  packer.number(snapshot.overrides.listen.size());
  for (const std::string& each : snapshot.overrides.listen) packer.text(each);
  packer.number(snapshot.overrides.processes ? *snapshot.overrides.processes + 1 : 0);
  packer.number(snapshot.overrides.spawned ? 1 : 0);
  packer.maybe(snapshot.overrides.web_servers);
  packer.number(snapshot.plugin_files.size());
  for (const auto& [name, file] : snapshot.plugin_files) {
    packer.text(name);
    packer.text(file.path);
    packer.text(file.copy);
  }
  packer.number(snapshot.account ? 1 : 0);
  if (snapshot.account) {
    packer.text(snapshot.account->name);
    packer.number(snapshot.account->user);
    packer.number(snapshot.account->group);
    packer.number(snapshot.account->groups.size());
    for (const std::uint32_t each : snapshot.account->groups) packer.number(each);
  }
  // Last, and only where there is one: what an image before this one wrote is read after an upgrade, too.
  for (const auto& [name, file] : snapshot.plugin_files) {
    if (file.exclusive) packer.text(name);
  }
  return packer.take();
}

std::optional<Snapshot> unpack(std::string_view bytes) {
  Unpacker from(bytes);
  Snapshot snapshot;
  snapshot.path = from.text();
  snapshot.text = from.text();
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    std::string path = from.text();
    snapshot.included.push_back({std::move(path), from.text()});
  }
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left)
    snapshot.overrides.listen.push_back(from.text());
  if (const std::size_t processes = from.number(); processes > 0)
    snapshot.overrides.processes = static_cast<std::uint32_t>(processes - 1);
  snapshot.overrides.spawned = from.number() != 0;
  snapshot.overrides.web_servers = from.maybe();
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    std::string name = from.text();
    std::string path = from.text();
    snapshot.plugin_files[name] = {std::move(path), from.text(), false};
  }
  if (from.number() != 0) {
    Account& account = snapshot.account.emplace();
    account.name = from.text();
    account.user = static_cast<std::uint32_t>(from.number());
    account.group = static_cast<std::uint32_t>(from.number());
    for (std::size_t left = from.number(); left > 0 && !from.failed(); --left)
      account.groups.push_back(static_cast<std::uint32_t>(from.number()));
  }
  while (!from.failed() && !from.at_end()) {
    const auto file = snapshot.plugin_files.find(from.text());
    if (file == snapshot.plugin_files.end()) return std::nullopt;
    file->second.exclusive = true;
  }
  if (from.failed()) return std::nullopt;
  return snapshot;
}

}  // namespace trivet::config

#include "runtime/host/assembly.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <system_error>
#include <utility>

#include "runtime/source/application.hpp"
#include "runtime/source/files.hpp"

namespace trivet::host {
namespace {

std::string at(const config::Place& place) {
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": ";
}

class Joining {
 public:
  Joining(const config::Config& config, log::Log& log, io::EventLoop& loop, Assembled& result)
      : config_(config), log_(log), loop_(loop), result_(result) {
    for (const auto& plugin : result.assembly.plugins) by_name_.emplace(plugin->name(), plugin.get());
  }

  std::unique_ptr<roles::Route> join(const config::Route& from) {
    auto route = std::make_unique<roles::Route>(from);
    for (const std::string& name : from.listen) {
      for (std::size_t i = 0; i < config_.listen.size(); ++i) {
        if (config_.listen[i].name == name) route->listeners.push_back(static_cast<std::uint32_t>(i));
      }
    }
    route->guards = roles::join_guards(
        route->config.authorize, [this](const config::Guard& guard) { return find_guard(guard); },
        [this] { return static_cast<std::uint64_t>(random_()) << 32U | random_(); });
    if (from.respond) {
      route->source = find(*from.respond, from.place);
      if (route->source != nullptr && route->source->responder() == nullptr)
        lacks(*from.respond, "responder", from.place);
    }
    if (from.files) route->own_source = files_of(from);
    if (from.fastcgi) {
      route->own_source = std::make_unique<source::Application>(
          *from.fastcgi, from.path, std::make_unique<source::SocketDialer>(from.fastcgi->address, loop_));
    }
    for (const config::FilterStage& stage : from.filter) {
      plugin::Plugin* filter = find(stage.plugin, stage.place);
      if (filter != nullptr && filter->filter() == nullptr) lacks(stage.plugin, "filter", stage.place);
      route->filters.push_back(filter);
    }
    return route;
  }

 private:
  std::unique_ptr<roles::Source> files_of(const config::Route& route) {
    try {
      if (result_.assembly.disk == nullptr)
        result_.assembly.disk = source::Disk::start(config_.limits.disk_threads, config_.limits.disk_queue);
    } catch (const std::system_error& error) {
      result_.errors.push_back(base::system_error("cannot start disk_threads", error.code().value()));
      return nullptr;
    }
    if (types_ == nullptr)
      types_ =
          std::make_shared<source::MediaTypes>(source::MediaTypes::read(source::MediaTypes::system_table));
    auto files = std::make_unique<source::Files>(route, *result_.assembly.disk, types_);
    // A folder that is away for the moment, or not for this user, is told by those who ask for its files: the
    // other routes are served.
    if (const auto there = files->probe(); !there) {
      log_.warn("the files of a route cannot be served now",
                {{"route", route.name}, {"reason", there.error().message}});
    }
    return files;
  }

  plugin::Plugin* find_guard(const config::Guard& guard) {
    plugin::Plugin* const plugin = find(guard.plugin, guard.place);
    if (plugin != nullptr && plugin->authorizer() == nullptr) lacks(guard.plugin, "authorizer", guard.place);
    return plugin;
  }
  plugin::Plugin* find(const std::string& name, const config::Place& /*place*/) {
    // A name that is not there was told by the configuration, or its plugin did not start, which was told
    // too.
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  void lacks(const std::string& name, std::string_view role, const config::Place& place) {
    result_.errors.push_back(
        {base::ErrorCode::plugin_rejected,
         at(place) + "plugin \"" + name + "\" is used as " + std::string(role) +
             ", which it is not: give the route another plugin, or this one another place"});
  }

  const config::Config& config_;
  log::Log& log_;
  io::EventLoop& loop_;
  Assembled& result_;
  std::shared_ptr<const source::MediaTypes> types_;
  std::map<std::string, plugin::Plugin*, std::less<>> by_name_;
  std::random_device random_;
};

}  // namespace

std::size_t descriptors_of_a_connection(const config::Config& config) noexcept {
  const bool more = std::any_of(config.routes.begin(), config.routes.end(), [](const config::Route& each) {
    return each.files.has_value() || each.fastcgi.has_value();
  });
  return more ? 2 : 1;
}

process::Statistics::Shape shape_of(const config::Config& config) noexcept {
  const std::uint32_t workers = std::max(config.server.processes, 1U);
  return {2 * workers, static_cast<std::uint32_t>(config.plugins.size()),
          static_cast<std::uint32_t>(config.routes.size())};
}

process::StatisticsTotals::Names names_of(const config::Config& config) {
  process::StatisticsTotals::Names names;
  for (const config::Plugin& each : config.plugins) names.plugins.push_back(each.name);
  for (const config::Route& each : config.routes) names.routes.push_back(each.name);
  return names;
}

Assembled assemble(const config::Config& config, log::Log& log, io::EventLoop& loop,
                   const process::Zones& zones, process::Statistics statistics, std::uint32_t number) {
  Assembled result;
  result.assembly.counted = statistics.take(number);
  result.assembly.statistics = std::make_unique<process::Statistics>(std::move(statistics));
  std::uint32_t column = 0;
  for (const config::Plugin& each : config.plugins) {
    auto started = plugin::Plugin::start(each, config.server.plugin_cache, log, &zones, column);
    process::PluginCounters& counted = result.assembly.counted.plugins[column++];
    if (started) {
      started.value()->count_in(counted);
      result.assembly.plugins.push_back(std::move(started).value());
    } else {
      result.errors.push_back(started.error());
    }
  }
  Joining joining(config, log, loop, result);
  std::vector<std::unique_ptr<roles::Route>> routes;
  for (const config::Route& route : config.routes) {
    routes.push_back(joining.join(route));
    routes.back()->column = static_cast<std::uint32_t>(routes.size() - 1);
  }
  result.assembly.router = std::make_unique<roles::Router>(std::move(routes));
  return result;
}

}  // namespace trivet::host

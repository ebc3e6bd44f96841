#include "runtime/plugin/plugin.hpp"

#include <algorithm>
#include <exception>
#include <system_error>

#include "runtime/base/siphash.hpp"
#include "runtime/config/config.hpp"
#include "runtime/log/log.hpp"
#include "runtime/plugin/call.hpp"
#include "runtime/plugin/current.hpp"
#include "runtime/plugin/edition.hpp"
#include "runtime/plugin/host_table.hpp"
#include "runtime/plugin/library.hpp"
#include "runtime/plugin/settings.hpp"
#include "runtime/plugin/trust.hpp"
#include "runtime/process/board.hpp"

namespace trivet::plugin {

namespace {

constexpr std::uint32_t default_threads = 4;
/// However short its timeout: a moment without the processor is no reason to give a thread up.
constexpr auto shortest_patience = std::chrono::seconds(1);

/// The file that is loaded.
const std::string& code_of(const config::Plugin& config) {
  return config.copy.empty() ? config.path : config.copy;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    if (!text.empty()) text += '\n';
    text += line;
  }
  return text;
}

}  // namespace

Plugin::Plugin(const config::Plugin& config, log::Log& log)
    : name_(config.name),
      timeout_(config.timeout),
      current_(std::make_shared<Current>(Current{config.name, &log, 0})) {}

base::Result<std::unique_ptr<Plugin>> Plugin::start(const config::Plugin& config,
                                                    const std::string& cache_folder, log::Log& log,
                                                    const process::Zones* zones, std::uint32_t column) {
  std::unique_ptr<Plugin> plugin(new Plugin(config, log));  // NOLINT: the constructor is private
  plugin->current_->column = column;
  plugin->zones_ = zones;
  {
    notice_forks();
    const CurrentScope scope(*plugin->current_);  // Constructors of static objects run while it loads.
    auto library = config.copy.empty()
                       ? Library::load(config.path, cache_folder, config.name, owner_of(config.place.file))
                       : Library::load_copy(config.copy);
    if (!library) return refusal(config, library.error().message);
    plugin->library_ = std::move(*library);
  }
  if (const auto begun = plugin->begin(config, plugin->library_->entry(), {}); !begun) return begun.error();
  return plugin;
}

base::Result<std::unique_ptr<Plugin>> Plugin::start(const config::Plugin& config, const trivet_plugin& entry,
                                                    log::Log& log, const MakeWorkers& make_workers) {
  std::unique_ptr<Plugin> plugin(new Plugin(config, log));  // NOLINT: the constructor is private
  const auto known = read_entry(entry);
  if (!known) return refusal(config, known.error().message);
  if (const auto begun = plugin->begin(config, known.value(), make_workers); !begun) return begun.error();
  return plugin;
}

Plugin::~Plugin() {
  if (abandoned_) {
    // A thread is still in the plugin's code, with its instance: they stay until the process ends.
    static_cast<void>(library_.release());
    return;
  }
  threads_.reset();
  const CurrentScope scope(*current_);
  for (void* instance : instances_) {
    if (entry_.destroy != nullptr && instance != nullptr) entry_.destroy(instance);
  }
}

const std::string& Plugin::name() const noexcept { return name_; }
const std::string& Plugin::version() const noexcept { return version_; }
bool Plugin::is_exclusive() const noexcept { return (entry_.flags & TRIVET_EXCLUSIVE) != 0; }
bool Plugin::is_pure() const noexcept { return (entry_.flags & TRIVET_PURE) != 0; }
bool Plugin::takes_any_encoding() const noexcept { return (entry_.flags & TRIVET_ANY_ENCODING) != 0; }
bool Plugin::wants_short() const noexcept { return (entry_.flags & TRIVET_WANTS_SHORT) != 0; }
std::optional<std::chrono::milliseconds> Plugin::timeout() const noexcept { return timeout_; }

Workers::Load Plugin::load(base::TimePoint now) const {
  if (!threads_) return {};
  std::optional<base::Duration> patience;
  if (timeout_) patience = std::max<base::Duration>(*timeout_, shortest_patience);
  return threads_->load(now, patience);
}

bool Plugin::abandon(std::chrono::milliseconds patience) {
  abandoned_ = threads_ && threads_->abandon(patience);
  return abandoned_;
}

base::Error refusal(const config::Plugin& config, const std::string& what) {
  std::string text = at_place(config.place) + "plugin \"" + config.name + "\"";
  if (!config.path.empty()) text += " (" + config.path + ")";
  return {base::ErrorCode::plugin_rejected, text + ": " + what};
}

base::Result<> Plugin::begin(const config::Plugin& config, const trivet_plugin& entry,
                             const MakeWorkers& make_workers) {
  entry_ = entry;
  version_ = view(entry.version);
  if (entry.responder != nullptr) responder_ = read_table(*entry.responder);
  if (entry.authorizer != nullptr) authorizer_ = read_table(*entry.authorizer);
  if (entry.filter != nullptr) filter_ = read_table(*entry.filter);

  const bool never_blocks = (entry.flags & TRIVET_NEVER_BLOCKS) != 0;
  // Each thread has an instance, and each instance would want what only one can have.
  const bool is_single = is_exclusive() && (entry.flags & TRIVET_SHARED_INSTANCE) == 0;
  const std::uint32_t threads = config.threads.value_or(never_blocks ? 0 : is_single ? 1 : default_threads);
  if (threads == 0 && !never_blocks) {
    return refusal(
        config,
        "threads = 0 would run it on the event loop, but it does not declare that it never blocks: set "
        "threads to 1 or more");
  }
  config::Plugin settled = config;
  settled.threads = threads;
  const auto edition = [&] {
    if (!is_pure()) return std::uint64_t{0};
    return edition_of(config, library_ ? code_of(config) : std::string(), version_);
  };
  const std::uint64_t before = edition();
  if (const auto made = make_instances(settled, threads); !made) return made;
  // Where a file changed meanwhile, who knows which of the two its instances have read: it is neither.
  const std::uint64_t after = edition();
  edition_ = before == after ? after : base::siphash({before, after}, {});
  return threads == 0 ? base::success() : start_threads(settled, make_workers);
}

/// One for each thread, or for the loop; or one for all.
base::Result<> Plugin::make_instances(const config::Plugin& config, std::uint32_t count) {
  const CurrentScope scope(*current_);
  SettingsReader settings(config, zones_);
  const bool is_shared = (entry_.flags & TRIVET_SHARED_INSTANCE) != 0;
  const std::uint32_t needed = is_shared || count == 0 ? 1 : count;
  instances_.reserve(needed);
  for (std::uint32_t made = 0; made < needed; ++made) {
    if (const auto one = make_instance(config, settings); !one) return one;
  }
  settings.report_unread();
  if (settings.errors().empty()) return base::success();
  return base::Error{base::ErrorCode::plugin_rejected, joined(settings.errors())};
}

base::Result<> Plugin::make_instance(const config::Plugin& config, SettingsReader& settings) {
  void* self = nullptr;
  trivet_status status = TRIVET_OK;
  std::string thrown;
  try {
    if (entry_.create != nullptr) status = entry_.create(&host_table(), settings.handle(), &self);
  } catch (const std::exception& error) {  // Against the contract; where it can be caught, it is told well.
    thrown = std::string("its create threw: ") + error.what();
  } catch (...) {
    thrown = "its create threw something";
  }
  if (!thrown.empty()) return refusal(config, thrown + ": it has to catch its own exceptions");
  if (status == TRIVET_OK) instances_.push_back(self);
  if (!settings.errors().empty()) {
    return base::Error{base::ErrorCode::plugin_rejected, joined(settings.errors())};
  }
  if (status == TRIVET_OK) return base::success();
  return refusal(config, "its create failed with status " + std::to_string(status) +
                             " and gave no reason: look for lines of the plugin in the log");
}

base::Result<> Plugin::start_threads(const config::Plugin& config, const MakeWorkers& make_workers) {
  const std::uint32_t count = config.threads.value_or(default_threads);
  std::vector<void*> instances = instances_;
  instances.resize(count, instances_.front());  // A shared instance serves them all.
  const auto around = [current = current_](const std::function<void()>& work) {
    const process::FaultStack stack;
    const CurrentScope scope(*current);
    work();
  };
  try {
    threads_ = make_workers ? make_workers(instances, config.queue, around)
                            : std::make_unique<Threads>(name_, instances, config.queue, around);
  } catch (const std::system_error& error) {
    return refusal(config, "its " + std::to_string(count) +
                               " threads cannot be started: " + error.code().message() +
                               ": set fewer threads, or raise the limit of threads (ulimit -u, TasksMax)");
  }
  return base::success();
}

}  // namespace trivet::plugin

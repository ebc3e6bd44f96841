#include "runtime/source/application.hpp"

#include "runtime/source/application_stage.hpp"

namespace trivet::source {

Application::Application(const config::Application& from, std::string_view pattern,
                         std::unique_ptr<Dialer> dialer)
    : address_(from.text),
      connect_timeout_(from.connect_timeout),
      timeout_(from.timeout),
      stream_(from.stream),
      dialer_(std::move(dialer)),
      pool_(*dialer_, {from.connections, from.idle_time}) {
  if (!from.root.empty()) scripts_.emplace(from.root, from.index, pattern);
}

std::unique_ptr<roles::Stage> Application::open(roles::StageSink& sink, const roles::CallFacts& facts) {
  return std::make_unique<ApplicationStage>(*this, sink, facts);
}

}  // namespace trivet::source

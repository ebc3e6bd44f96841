#include <set>

#include "runtime/cli/snippet/servers.hpp"
#include "runtime/config/pattern.hpp"

namespace trivet::cli::snippet {
namespace {

std::string folder_of(const Entry& entry) { return entry.path.literal.empty() ? "/" : entry.path.literal; }

/// h2o takes the longest folder that fits: whether that of `entry`, all of which goes to Trivet, would lead
/// to a route that nobody may reach unasked.
bool leads_to_refused(const Site& site, const Entry& entry) {
  const std::string all = (entry.path.literal.empty() ? "" : entry.path.literal) + "/**";
  for (const Entry& other : site.entries) {
    if (other.treatment != Treatment::refuse || !other.route->has_source()) continue;
    const bool has_its_own =
        other.path.shape != PathRule::Shape::pattern && other.path.literal.size() > entry.path.literal.size();
    if (!has_its_own && config::meet(config::split_pattern(all), config::split_pattern(other.pattern)))
      return true;
  }
  return false;
}

}  // namespace

std::string write_h2o(const Site& site) {
  std::string text = heading(
      site,
      {"For h2o: the inside of the `paths` of one of its `hosts`. h2o takes folders only, and asks nobody "
       "for a",
       "verdict: what h2o itself serves is not guarded, and what is below is Trivet's alone.",
       "Put it into /etc/h2o/trivet.yaml and write", "    paths: !file /etc/h2o/trivet.yaml",
       "or copy it beside the paths that you have; then `h2o -t -c /etc/h2o/h2o.conf`, and reload h2o."});
  const std::string to =
      site.is_unix() ? "{ port: " + yaml_text(site.address) + ", type: unix }"
                     : "{ host: " + yaml_text(site.host) + ", port: " + std::to_string(site.port) + " }";
  std::set<std::string> folders;
  for (const Entry& entry : site.entries) {
    // Without a source Trivet has nothing to serve, and answers 404.
    const bool pass = !leads_to_refused(site, entry);
    const bool wider = entry.path.shape == PathRule::Shape::pattern;
    const char* what = !pass                        ? "refused"
                       : !entry.route->has_source() ? "Trivet answers, with 404"
                       : wider                      ? "all of the folder goes to Trivet"
                                                    : "Trivet answers";
    text += "\n" + comment(entry, "", what);
    if (!folders.insert(folder_of(entry)).second) {
      text += "# (as above)\n";
      continue;
    }
    text += yaml_text(folder_of(entry)) + ":\n";
    if (!pass) {
      text += "  mruby.handler: \"Proc.new {|env| [403, {}, []]}\"\n";
      continue;
    }
    if (!site.wish.host.empty()) text += "  setenv:\n    TRIVET_HOST: " + yaml_text(site.wish.host) + "\n";
    text += "  fastcgi.connect: " + to + "\n";
  }
  return text;
}

}  // namespace trivet::cli::snippet

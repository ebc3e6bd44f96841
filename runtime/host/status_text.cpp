#include <algorithm>
#include <array>
#include <cstdio>

#include "runtime/config/text.hpp"
#include "runtime/host/status.hpp"

/// Status for a person.
namespace trivet::host {
namespace {

constexpr std::size_t widest = 100;
constexpr std::size_t narrowest_name = 12;
constexpr std::string_view gap = "  ";
constexpr std::string_view cut = "...";

/// A text as a terminal may be sent it, in columns.
struct Cell {
  std::string text;
  std::size_t width = 0;
};

Cell cell(std::string_view text) {
  Cell result;
  while (!text.empty()) {
    const config::CodePoint point = config::decode_code_point(text.substr(0, 4));
    const std::string shown = config::visible(point, text.substr(0, point.size));
    result.width +=
        shown.size() == point.size && point.valid ? config::display_width(point.value) : shown.size();
    result.text += shown;
    text.remove_prefix(point.size);
  }
  return result;
}
Cell cell(std::uint64_t number) { return cell(std::to_string(number)); }

/// At most `width` columns of it.
void shorten(Cell& cell, std::size_t width) {
  if (cell.width <= width) return;
  Cell result;
  for (std::string_view rest = cell.text; !rest.empty();) {
    const config::CodePoint point = config::decode_code_point(rest.substr(0, 4));
    const std::size_t more = config::display_width(point.value);
    if (result.width + more + cut.size() > width) break;
    result.text += rest.substr(0, point.size);
    result.width += more;
    rest.remove_prefix(point.size);
  }
  result.text += cut;
  result.width += cut.size();
  cell = std::move(result);
}

/// Rows of cells below a row of titles. The first column holds texts, as the last one may; numbers stand to
/// the right.
class Table {
 public:
  enum class Last : bool { number, text };
  Table(const std::vector<std::string_view>& titles, Last last) : last_(last) {
    std::vector<Cell> row;
    row.reserve(titles.size());
    for (const std::string_view title : titles) row.push_back(cell(title));
    add(std::move(row));
  }

  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

  /// With an empty line before it; nothing where there are only titles.
  void print(std::string& to) {
    if (rows_.size() < 2) return;
    fit();
    to += '\n';
    for (const std::vector<Cell>& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string blanks(widths_[i] - row[i].width, ' ');
        if (i != 0) line += gap;
        line += is_text(i) ? row[i].text + blanks : blanks + row[i].text;
      }
      line.erase(line.find_last_not_of(' ') + 1);
      to += line + '\n';
    }
  }

 private:
  [[nodiscard]] bool is_text(std::size_t column) const {
    return column == 0 || (last_ == Last::text && column + 1 == rows_.front().size());
  }

  /// The texts give way to the numbers, the first of them not below what shows something.
  void fit() {
    widths_.assign(rows_.front().size(), 0);
    for (const std::vector<Cell>& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], row[i].width);
    }
    std::size_t others = gap.size() * (widths_.size() - 1);
    for (std::size_t i = 1; i < widths_.size(); ++i) others += widths_[i];
    const std::size_t most =
        last_ == Last::text ? widest / 3 : std::max(widest, others + narrowest_name) - others;
    limit(0, most);
    if (last_ == Last::text) limit(widths_.size() - 1, widest - widths_[0] - (others - widths_.back()));
  }
  void limit(std::size_t column, std::size_t width) {
    widths_[column] = std::min(widths_[column], width);
    for (std::vector<Cell>& row : rows_) shorten(row[column], widths_[column]);
  }

  Last last_;
  std::vector<std::vector<Cell>> rows_;
  std::vector<std::size_t> widths_;
};

/// `3d 4h`, `12m 3s`, `5s`: the two largest units.
std::string duration(std::chrono::seconds time) {
  const std::int64_t all = std::max<std::int64_t>(time.count(), 0);
  const auto two = [](std::int64_t large, const char* unit, std::int64_t small, const char* lesser) {
    return std::to_string(large) + unit + " " + std::to_string(small) + lesser;
  };
  if (all >= 86400) return two(all / 86400, "d", all % 86400 / 3600, "h");
  if (all >= 3600) return two(all / 3600, "h", all % 3600 / 60, "m");
  if (all >= 60) return two(all / 60, "m", all % 60, "s");
  return std::to_string(all) + "s";
}

std::string decimal(double value, const char* unit) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, unit);
  return text.data();
}

std::string mean(std::uint64_t nanoseconds, std::uint64_t count) {
  if (count == 0) return "-";
  const double each = static_cast<double>(nanoseconds) / static_cast<double>(count);
  if (each < 1e6) return decimal(each / 1e3, "us");
  return each < 1e9 ? decimal(each / 1e6, "ms") : decimal(each / 1e9, "s");
}

std::string memory(std::uint64_t bytes) {
  return decimal(static_cast<double>(bytes) / (1024.0 * 1024.0), "MiB");
}

void print_workers(const Status& status, std::string& to) {
  Table table({"worker", "slot", "pid", "generation", "state", "up", "requests", "in flight", "connections",
               "memory"},
              Table::Last::number);
  for (const Status::Worker& each : status.workers) {
    table.add({cell(each.number), cell(each.slot), cell(std::to_string(each.pid)), cell(each.generation),
               cell(each.state), cell(duration(each.uptime)), cell(each.requests), cell(each.in_flight),
               cell(each.connections), cell(memory(each.memory))});
  }
  table.print(to);
}

void print_totals(const process::WorkerTotals& totals, std::string& to) {
  const auto line = [&](std::string_view name,
                        const std::vector<std::pair<std::string_view, std::uint64_t>>& values) {
    to += name;
    to.append(13 - name.size(), ' ');
    const char* between = "";
    for (const auto& [what, count] : values) {
      to += between;
      to += std::string(what) + " " + std::to_string(count);
      between = ", ";
    }
    to += '\n';
  };
  to += '\n';
  line("requests", {{"responder", totals.requests[0]},
                    {"authorizer", totals.requests[1]},
                    {"filter", totals.requests[2]},
                    {"in flight", totals.requests_open}});
  line("responses", {{"2xx", totals.responses[2]},
                     {"3xx", totals.responses[3]},
                     {"4xx", totals.responses[4]},
                     {"5xx", totals.responses[5]},
                     {"none", totals.responses[0]}});
  line("verdicts",
       {{"allow", totals.verdicts[0]}, {"deny", totals.verdicts[1]}, {"error", totals.verdicts[2]}});
  line("connections", {{"open", totals.connections_open},
                       {"accepted", totals.connections_accepted},
                       {"closed", totals.connections_closed}});
  line("bytes", {{"in", totals.bytes_in}, {"out", totals.bytes_out}});
  line("lost", {{"limits hit", totals.limits_hit},
                {"records ignored", totals.records_ignored},
                {"log lines", totals.log_lines_lost}});
}

void print_plugins(const Status& status, std::string& to) {
  Table table({"plugin", "calls", "errors", "timeouts", "refused", "waiting", "running", "lost", "mean"},
              Table::Last::number);
  for (const Status::Plugin& each : status.plugins) {
    const process::PluginTotals& counts = each.counts;
    table.add({cell(each.name), cell(counts.calls), cell(counts.errors), cell(counts.timeouts),
               cell(counts.refused), cell(counts.waiting), cell(counts.running), cell(counts.lost),
               cell(mean(counts.running_time, counts.timed))});
  }
  table.print(to);
}

/// Those with a cache, and those that are shadows.
void print_guards(const Status& status, std::string& to) {
  Table table({"guard", "remembered", "not remembered", "shadow allows", "shadow denies"},
              Table::Last::number);
  bool some = false;
  for (const Status::Plugin& each : status.plugins) {
    const process::PluginTotals& counts = each.counts;
    if (counts.remembered + counts.not_remembered + counts.shadow_allows + counts.shadow_denies == 0)
      continue;
    some = true;
    table.add({cell(each.name), cell(counts.remembered), cell(counts.not_remembered),
               cell(counts.shadow_allows), cell(counts.shadow_denies)});
  }
  if (some) table.print(to);
}

void print_routes(const Status& status, std::string& to) {
  Table table({"route", "requests", "allow", "deny", "error", "4xx", "5xx"}, Table::Last::number);
  for (const Status::Route& each : status.routes) {
    const process::RouteTotals& counts = each.counts;
    table.add({cell(each.name), cell(counts.requests), cell(counts.verdicts[0]), cell(counts.verdicts[1]),
               cell(counts.verdicts[2]), cell(counts.responses[4]), cell(counts.responses[5])});
  }
  table.print(to);
}

}  // namespace

std::string as_text(const Status& status) {
  std::string text = "trivet " + cell(status.version).text + "  " + cell(status.state).text +
                     "  generation " + std::to_string(status.generation) + "  pid " +
                     std::to_string(status.pid) + "  up " + duration(status.uptime) + "\n";
  print_workers(status, text);
  print_totals(status.totals, text);
  print_plugins(status, text);
  print_guards(status, text);
  print_routes(status, text);
  Table listeners({"listener", "address"}, Table::Last::text);
  for (const Status::Listener& each : status.listeners) listeners.add({cell(each.name), cell(each.address)});
  listeners.print(text);
  return text;
}

}  // namespace trivet::host

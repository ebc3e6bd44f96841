#include "runtime/cgi/http_date.hpp"

#include <algorithm>

namespace trivet::cgi {
namespace {

constexpr std::array<std::string_view, 7> days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t seconds_of_day = 86400;
constexpr std::int64_t days_of_era = 146097;  ///< 400 years.

struct Date {
  std::int64_t year = 0;
  std::int64_t month = 1;  ///< 1 to 12
  std::int64_t day = 1;    ///< 1 to 31
};

std::int64_t divided(std::int64_t number, std::int64_t by) noexcept {
  return number / by - (number % by < 0 ? 1 : 0);
}

/// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of one.
std::int64_t day_number(const Date& date) noexcept {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t era = divided(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t from_march = (date.month + 9) % 12;
  const std::int64_t day_of_year = (153 * from_march + 2) / 5 + date.day - 1;
  return era * days_of_era + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

Date date_of(std::int64_t number) noexcept {
  const std::int64_t from_start = number + 719468;
  const std::int64_t era = divided(from_start, days_of_era);
  const std::int64_t day_of_era = from_start - era * days_of_era;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t from_march = (5 * day_of_year + 2) / 153;
  const std::int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * from_march + 2) / 5 + 1};
}

/// Takes a date's text apart from the front; after a mismatch everything fails.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : left_(text) {}

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool ended_well() const noexcept { return !failed_ && left_.empty(); }
  bool text(std::string_view expected) noexcept {
    if (failed_ || left_.substr(0, expected.size()) != expected) return false;
    left_.remove_prefix(expected.size());
    return true;
  }
  void need(std::string_view expected) noexcept { failed_ = !text(expected); }
  std::int64_t digits(std::size_t count) noexcept {
    if (left_.size() < count) failed_ = true;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count && !failed_; ++i) {
      const char c = left_[i];
      if (c < '0' || c > '9') failed_ = true;
      value = value * 10 + (c - '0');
    }
    if (!failed_) left_.remove_prefix(count);
    return value;
  }
  std::int64_t month() noexcept {
    for (std::size_t i = 0; i < months.size(); ++i) {
      if (text(months[i])) return static_cast<std::int64_t>(i) + 1;
    }
    failed_ = true;
    return 0;
  }
  std::int64_t time() noexcept {
    const std::int64_t hour = digits(2);
    need(":");
    const std::int64_t minute = digits(2);
    need(":");
    const std::int64_t second = digits(2);
    if (hour > 23 || minute > 59 || second > 60) failed_ = true;  // 60: a leap second.
    return hour * 3600 + minute * 60 + second;
  }

 private:
  std::string_view left_;
  bool failed_ = false;
};

std::optional<UnixSeconds> joined(const Date& date, std::int64_t time) noexcept {
  // A day that the month does not have comes out as one of the next.
  const std::int64_t number = day_number(date);
  if (date.day < 1 || date_of(number).day != date.day) return std::nullopt;
  return number * seconds_of_day + time;
}

/// `06 Nov 1994 08:49:37 GMT`
std::optional<UnixSeconds> parse_usual(Reader& reader) noexcept {
  Date date;
  date.day = reader.digits(2);
  reader.need(" ");
  date.month = reader.month();
  reader.need(" ");
  date.year = reader.digits(4);
  reader.need(" ");
  const std::int64_t time = reader.time();
  reader.need(" GMT");
  return reader.ended_well() ? joined(date, time) : std::nullopt;
}

/// `06-Nov-94 08:49:37 GMT`
std::optional<UnixSeconds> parse_rfc850(Reader& reader, UnixSeconds now) noexcept {
  constexpr std::int64_t years_ahead = 50;
  Date date;
  date.day = reader.digits(2);
  reader.need("-");
  date.month = reader.month();
  reader.need("-");
  const std::int64_t two_digits = reader.digits(2);
  reader.need(" ");
  const std::int64_t time = reader.time();
  reader.need(" GMT");
  if (!reader.ended_well()) return std::nullopt;
  const std::int64_t this_year = date_of(divided(now, seconds_of_day)).year;
  const std::int64_t latest = this_year + years_ahead;
  date.year = latest - ((latest - two_digits) % 100 + 100) % 100;
  return joined(date, time);
}

/// `Nov  6 08:49:37 1994`
std::optional<UnixSeconds> parse_asctime(Reader& reader) noexcept {
  Date date;
  date.month = reader.month();
  reader.need(" ");
  date.day = reader.text(" ") ? reader.digits(1) : reader.digits(2);
  reader.need(" ");
  const std::int64_t time = reader.time();
  reader.need(" ");
  date.year = reader.digits(4);
  return reader.ended_well() ? joined(date, time) : std::nullopt;
}

}  // namespace

HttpDate::HttpDate(UnixSeconds time) noexcept {
  const std::int64_t number = divided(time, seconds_of_day);
  constexpr std::int64_t first = -719528;  // 0000-01-01
  constexpr std::int64_t last = 2932896;   // 9999-12-31
  if (number < first || number > last) return;
  const std::int64_t second = time - number * seconds_of_day;
  const Date date = date_of(number);
  const auto put = [this](std::string_view text) { size_ += text.copy(text_.data() + size_, text.size()); };
  const auto put_number = [this](std::int64_t value, std::size_t width) {
    for (std::size_t at = width; at > 0; --at, value /= 10)
      text_[size_ + at - 1] = static_cast<char>('0' + value % 10);
    size_ += width;
  };
  const std::int64_t weekday = ((number + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday.
  put(days[static_cast<std::size_t>(weekday)].substr(0, 3));
  put(", ");
  put_number(date.day, 2);
  put(" ");
  put(months[static_cast<std::size_t>(date.month - 1)]);
  put(" ");
  put_number(date.year, 4);
  put(" ");
  put_number(second / 3600, 2);
  put(":");
  put_number(second / 60 % 60, 2);
  put(":");
  put_number(second % 60, 2);
  put(" GMT");
}

std::optional<UnixSeconds> parse_http_date(std::string_view text, UnixSeconds now) noexcept {
  for (const std::string_view day : days) {
    Reader reader(text);
    if (reader.text(day) && reader.text(", ")) return parse_rfc850(reader, now);
  }
  for (const std::string_view day : days) {
    Reader reader(text);
    if (!reader.text(day.substr(0, 3))) continue;
    if (reader.text(", ")) return parse_usual(reader);
    if (reader.text(" ")) return parse_asctime(reader);
  }
  return std::nullopt;
}

}  // namespace trivet::cgi

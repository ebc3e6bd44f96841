#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/cgi/params.hpp"
#include "runtime/cgi/request_info.hpp"
#include "runtime/protocol/encoder.hpp"
#include "runtime/protocol/name_value.hpp"
#include "tests/unit/protocol/seed.hpp"

/// Params that are used for one request after the other, and know names from the request before: whatever
/// came before, a request is read as if it were the first.
namespace trivet::cgi {
namespace {

using namespace std::string_literals;
using List = std::vector<std::pair<std::string, std::string>>;

std::string encoded(const List& list) {
  base::Buffer buffer;
  for (const auto& [name, value] : list) protocol::append_pair(buffer, name, value);
  return std::string(base::as_text(buffer.bytes()));
}

/// What a web server sends, with names of every length that is treated apart.
const List usual = {{"QUERY_STRING", ""},
                    {"REQUEST_METHOD", "GET"},
                    {"CONTENT_LENGTH", ""},
                    {"SCRIPT_NAME", "/a"},
                    {"X", "one"},
                    {"XYZ", "three"},
                    {"FOUR", "4"},
                    {"HTTPS", "on"},
                    {"SEVENTH", "7"},
                    {"EIGHT_TH", "8"},
                    {"REQUEST_URI", "/a?" + std::string(117, 'q')},
                    {"A_NAME_OF_SIXTEE", std::string(127, 'v')},
                    {"GATEWAY_INTERFACE", "CGI/1.1"},
                    {"A_NAME_OF_TWENTY_FOUR___", "24"},
                    {"A_NAME_OF_TWENTY_FIVE____", "25"},
                    {"REMOTE_ADDR", "::1"},
                    {"A_NAME_OF_THIRTY_TWO____________", "32"},
                    {"A_NAME_OF_THIRTY_THREE___________", "33"},
                    {std::string(127, 'N'), "one byte"},
                    {std::string(128, 'N'), "four bytes"},
                    {"SERVER_SOFTWARE", "nginx/1.22.1"},
                    {"HTTP_HOST", "a.example"},
                    {"HTTP_COOKIE", std::string(300, 'c')},
                    {"HTTP_AUTHORIZATION", "Basic YTpi"},
                    {"REMOTE_PASSWD", "b"},
                    {"AUTH_PASSWORD", "c"},
                    {"HTTP_ACCEPT", "*/*"}};

/// Bytes whose end is that of a page: whoever reads behind them ends the test.
class AtTheEndOfAPage {
 public:
  explicit AtTheEndOfAPage(std::size_t most) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    size_ = (most / page + 2) * page;
    void* const mapped = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) std::abort();
    begin_ = static_cast<char*>(mapped);
    end_ = begin_ + size_ - page;
    if (mprotect(end_, page, PROT_NONE) != 0) std::abort();
  }
  AtTheEndOfAPage(const AtTheEndOfAPage&) = delete;
  AtTheEndOfAPage& operator=(const AtTheEndOfAPage&) = delete;
  ~AtTheEndOfAPage() { munmap(begin_, size_); }

  base::Bytes put(std::string_view text) {
    char* const at = end_ - text.size();
    std::copy(text.begin(), text.end(), at);
    return base::as_bytes({at, text.size()});
  }

 private:
  std::size_t size_;
  char* begin_;
  char* end_;
};

/// All that can be seen of parameters, as text.
std::string seen(const Params& params) {
  std::string text;
  const auto put = [&](const Param* found) {
    text += found == nullptr ? "-" : std::to_string(found - params.all().data());
    text += ' ';
  };
  for (const Param& each : params.all()) {
    text.append(each.name).append("=").append(each.value).append("\n");
    put(params.find(each.name));
  }
  for (const auto& [name, value] : usual) put(params.find(name));
  for (const std::string_view name : known_params) put(params.find(name));
  text += "known ";
  for (const KnownParam each :
       {KnownParam("REQUEST_METHOD"), KnownParam("SCRIPT_NAME"), KnownParam("PATH_INFO"),
        KnownParam("REQUEST_URI"), KnownParam("FCGI_APACHE_ROLE")}) {
    put(params.find(each));
    EXPECT_EQ(params.find(each), params.find(known_params[each.number])) << known_params[each.number];
    EXPECT_EQ(params.get(each), params.get(known_params[each.number]));
  }
  for (const std::string_view name : known_params)
    EXPECT_EQ(params.get(ParamName(std::string(name))), params.get(name)) << name;
  const Steering steering = read_steering(params);
  return text + "route " + std::string(steering.route) + " unknown " + std::string(steering.unknown);
}

/// As a request reads them, so many at once, with what `params` knows from the ones before.
std::string read(Params& params, base::Bytes block, std::size_t batch) {
  params.reset();
  protocol::PairReader reader(block, &params.names_before());
  for (std::size_t read = batch; read == batch;) {
    read = reader.next(params.room(batch));
    params.took(read);
  }
  if (reader.broken()) return "broken " + seen(params);
  if (base::count_zeros(block) != reader.zeros_in_lengths()) params.note_nul();
  if (const auto refusal = params.settle(reader.as_expected())) return refusal->reason;
  return seen(params);
}

/// The same by the shortest way.
std::string read_alone(base::Bytes block) {
  Params params;
  protocol::PairReader reader(block);
  while (const auto pair = reader.next()) params.add(pair->name, pair->value);
  if (reader.broken()) return "broken " + seen(params);
  if (const auto refusal = params.settle()) return refusal->reason;
  return seen(params);
}

class ParamsReuse : public testing::Test {
 protected:
  ParamsReuse() : page_(1U << 17U) {}

  void expect_read_as_if_alone(std::string_view text, std::size_t batch = 64) {
    const base::Bytes block = page_.put(text);
    ASSERT_EQ(read(params_, block, batch), read_alone(block));
  }
  /// After the usual list, and with the usual list and itself after it.
  void expect_no_trace(std::string_view text) {
    static const std::string before = encoded(usual);
    for (const std::string_view each : {std::string_view(before), text, text, std::string_view(before)})
      ASSERT_NO_FATAL_FAILURE(expect_read_as_if_alone(each));
  }

  AtTheEndOfAPage page_;
  Params params_;
};

TEST_F(ParamsReuse, AListThatDiffersInOnePlaceIsReadAsIfItWereTheFirst) {
  const auto with = [&](std::size_t at, const std::string& name, const std::string& value) {
    List list = usual;
    list[at] = {name, value};
    expect_no_trace(encoded(list));
  };
  for (std::size_t at = 0; at < usual.size(); ++at) {
    SCOPED_TRACE(testing::Message() << "pair " << at);
    const auto& [name, value] = usual[at];
    for (std::size_t place = 0; place < name.size(); ++place) {
      std::string other = name;
      other[place] = 'm';
      with(at, other, value);
    }
    for (std::size_t longer = 1; longer < 20; ++longer) with(at, name + std::string(longer, 'x'), value);
    for (std::size_t size = 0; size < name.size(); ++size) with(at, name.substr(0, size), value);
    for (const std::size_t size : {0, 1, 126, 127, 128, 129, 255, 256, 70000})
      with(at, name, std::string(size, 'w'));
    with(at, name + "\0"s, value);
    with(at, "\0"s + name.substr(1), value);
    with(at, name, "v\0v"s);
    with(at, name, "\0"s);
    if (HasFatalFailure()) return;
  }
}

TEST_F(ParamsReuse, APairThatComesOrGoesAnywhereLeavesNoTrace) {
  for (std::size_t at = 0; at <= usual.size(); ++at) {
    SCOPED_TRACE(testing::Message() << "pair " << at);
    const auto begin = usual.begin();
    const auto place = static_cast<std::ptrdiff_t>(at);
    for (const auto& pair : List{{"HTTP_PROXY", "p"},
                                 {"TRIVET_ROUTE", "r"},
                                 {"TRIVET_NONE", "u"},
                                 {"TRIVET_ROUTE", ""},
                                 {"", "nothing"},
                                 {"HTTP_NEW", "n"},
                                 {"PATH_INFO", "/p"},
                                 {"FCGI_APACHE_ROLE", "AUTHORIZER"},
                                 {"HTTP_COOKIE", "d"},
                                 {"REQUEST_METHOD", "POST"},
                                 {"REQUEST_METHOD", "GET"},
                                 {"CONTENT_LENGTH", "5"},
                                 usual.front(),
                                 usual.back()}) {
      List list = usual;
      list.insert(list.begin() + place, pair);
      expect_no_trace(encoded(list));
    }
    expect_no_trace(encoded(List(begin, begin + place)));
    expect_no_trace(encoded(List(begin + place, usual.end())));
    if (at == usual.size()) break;
    List list = usual;
    list.erase(list.begin() + place);
    expect_no_trace(encoded(list));
    if (HasFatalFailure()) return;
  }
}

TEST_F(ParamsReuse, AListThatIsCutAnywhereIsBrokenOrShorter) {
  const std::string text = encoded(usual);
  for (std::size_t size = 0; size < text.size(); ++size) {
    ASSERT_NO_FATAL_FAILURE(expect_no_trace(std::string_view(text).substr(0, size))) << size;
  }
}

TEST_F(ParamsReuse, LengthsInFourBytesThatOneWouldDoForAreReadAsUsual) {
  const auto append = [](std::string& text, std::size_t length) {
    text += "\x80\0\0"s + static_cast<char>(length);
  };
  for (std::size_t at = 0; at < usual.size(); ++at) {
    for (const bool of_name : {false, true}) {
      std::string text;
      for (std::size_t each = 0; each < usual.size(); ++each) {
        const auto& [name, value] = usual[each];
        const std::string pair = encoded({usual[each]});
        if (each != at || name.size() > 127 || value.size() > 127) {
          text += pair;
          continue;
        }
        if (of_name) append(text, name.size());
        if (!of_name) text += pair[0];
        if (of_name) text += pair[1];
        if (!of_name) append(text, value.size());
        text += name + value;
      }
      expect_no_trace(text);
    }
  }
}

TEST_F(ParamsReuse, MorePairsThanAreKnownOrReadAtOnceAreAllThere) {
  for (const std::size_t count : {95, 96, 97, 97, 96, 128, 129, 64, 65, 1000, 63, 2, 0, 1000}) {
    List list;
    for (std::size_t i = 0; i < count; ++i) {
      list.emplace_back("HTTP_X_" + std::to_string(i), std::to_string(i));
      if (i == 50) list.emplace_back("PATH_INFO", "/p");
    }
    for (const std::size_t batch : {64, 1, 7, 2000}) {
      ASSERT_NO_FATAL_FAILURE(expect_read_as_if_alone(encoded(list), batch)) << count << " by " << batch;
    }
  }
}

TEST_F(ParamsReuse, AnyListAfterAnyOthersIsReadAsIfItWereTheFirst) {
  std::mt19937 random(protocol::test_seed());
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const List rare = {{"HTTP_PROXY", "p"}, {"TRIVET_ROUTE", "r"}, {"", "e"},       {"N\0N"s, "n"},
                     {"PATH_INFO", "/p"}, {"V", "v\0"s},         {"HTTP_A", "b"}, {"SCRIPT_NAME", "/s"}};
  List list = usual;
  for (int round = 0; round < 6000; ++round) {
    for (std::size_t changes = below(4); changes != 0; --changes) {
      const auto place = static_cast<std::ptrdiff_t>(below(list.size() + 1));
      switch (below(6)) {
        case 0:
          list.insert(list.begin() + place, rare[below(rare.size())]);
          break;
        case 1:
          list.insert(list.begin() + place, usual[below(usual.size())]);
          break;
        case 2:
          if (!list.empty()) list[below(list.size())].second = std::string(below(200), 'v');
          break;
        case 3:
          if (!list.empty()) list[below(list.size())].first = std::string(below(140), 'n');
          break;
        case 4:
          if (!list.empty()) list.erase(list.begin() + static_cast<std::ptrdiff_t>(below(list.size())));
          break;
        default:
          list = usual;  // Most changes make a list that is refused.
      }
    }
    std::string text = encoded(list);
    if (below(20) == 0) text.resize(below(text.size() + 1));
    if (below(20) == 0 && !text.empty()) text[below(text.size())] = static_cast<char>(random());
    ASSERT_NO_FATAL_FAILURE(expect_read_as_if_alone(text, below(3) == 0 ? 1 + below(9) : 64)) << round;
    if (below(8) == 0) params_.set("REQUEST_URI", "/set");
    if (below(8) == 0) params_.remove("SCRIPT_NAME");
    ASSERT_EQ(params_.find(KnownParam("REQUEST_URI")), params_.find("REQUEST_URI")) << round;
    ASSERT_EQ(params_.find(KnownParam("SCRIPT_NAME")), params_.find("SCRIPT_NAME")) << round;
  }
}

TEST_F(ParamsReuse, AKnownNameIsFoundAlsoAfterTheListChangedOrWasBorrowed) {
  const KnownParam uri("REQUEST_URI");
  const KnownParam method("REQUEST_METHOD");
  const KnownParam info("PATH_INFO");
  for (int round = 0; round < 3; ++round) {
    ASSERT_NO_FATAL_FAILURE(expect_read_as_if_alone(encoded(usual)));
    EXPECT_EQ(params_.get(method), "GET");
    EXPECT_EQ(params_.find(info), nullptr);
    Params borrowed;
    borrowed.borrow(params_);
    EXPECT_EQ(borrowed.get(method), "GET");
    EXPECT_EQ(borrowed.find(info), nullptr);
    params_.set("REQUEST_METHOD", "HEAD");
    EXPECT_EQ(params_.get(method), "HEAD");
    params_.set("PATH_INFO", "/i");
    EXPECT_EQ(params_.get(info), "/i");
    params_.remove("QUERY_STRING");
    EXPECT_EQ(params_.get(method), "HEAD");
    EXPECT_EQ(params_.get(uri), usual[10].second);
    params_.remove("REQUEST_URI");
    EXPECT_EQ(params_.find(uri), nullptr);
  }
}

}  // namespace
}  // namespace trivet::cgi

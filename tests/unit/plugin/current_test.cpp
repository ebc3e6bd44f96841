#include "runtime/plugin/current.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <utility>
#include <vector>

namespace trivet::plugin {
namespace {

std::array<process::Running, 3> places;

std::pair<std::uint32_t, std::uint32_t> at(std::size_t place) {
  return {places.at(place).plugin.load(), places.at(place).route.load()};
}
using Pair = std::pair<std::uint32_t, std::uint32_t>;

TEST(Current, IsSeenByWhoLooksAtThePlaceOfItsThread) {
  show_running(places);
  const Current outer{"outer", nullptr, 4};
  const Current inner{"inner", nullptr, 0};
  {
    const CurrentScope plugin(outer);
    EXPECT_EQ(at(0), Pair(5, 0));
    const RouteScope route("route", 7);
    EXPECT_EQ(at(0), Pair(5, 8));
    {
      const CurrentScope nested(inner);
      const RouteScope other("other", 0);
      EXPECT_EQ(at(0), Pair(1, 1));
      EXPECT_EQ(current_plugin()->name, "inner");
      EXPECT_EQ(current_route(), "other");
    }
    EXPECT_EQ(at(0), Pair(5, 8));
    EXPECT_EQ(current_route(), "route");
  }
  EXPECT_EQ(at(0), Pair(0, 0));

  // Other threads have a place from their first call on, as long as there is one.
  std::vector<Pair> seen;
  for (std::uint32_t route = 1; route <= 3; ++route) {
    std::thread([&] {
      const CurrentScope idle(outer);
      const RouteScope call("route", route);
      EXPECT_EQ(current_route(), "route");
      seen.insert(seen.end(), {at(1), at(2)});
    }).join();
  }
  const std::vector<Pair> wanted{{5, 2}, {0, 0}, {0, 0}, {5, 3}, {0, 0}, {0, 0}};
  EXPECT_EQ(seen, wanted);
  EXPECT_EQ(at(1), Pair(0, 0));
  EXPECT_EQ(at(2), Pair(0, 0));
}

}  // namespace
}  // namespace trivet::plugin

#include "runtime/io/descriptor_limit.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace trivet::io {
namespace {

struct LimitCase {
  const char* name;
  std::size_t wanted;
  rlim_t hard;
  std::size_t expected;
  std::size_t each = 1;
};

class ConnectionsWithin : public testing::TestWithParam<LimitCase> {};

TEST_P(ConnectionsWithin, LeavesTheReserve) {
  EXPECT_EQ(connections_within(GetParam().wanted, GetParam().hard, GetParam().each), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Limits, ConnectionsWithin,
    testing::Values(LimitCase{"Ample", 20000, 1048576, 20000},
                    LimitCase{"Unlimited", 20000, RLIM_INFINITY, 20000},
                    LimitCase{"Exact", 20000, 20512, 20000}, LimitCase{"OneShort", 20000, 20511, 19999},
                    LimitCase{"DebianDefaultSoft", 20000, 1024, 512}, LimitCase{"Small", 20000, 64, 32},
                    LimitCase{"TwoEach", 20000, 40512, 20000, 2},
                    LimitCase{"TwoEachOneShort", 20000, 40511, 19999, 2},
                    LimitCase{"TwoEachOfTooFew", 20000, 2, 1, 2}, LimitCase{"Nothing", 20000, 0, 1}),
    [](const auto& each) { return each.param.name; });

// Limits of the process are changed in a child, whose exit code is the answer.
TEST(RaiseDescriptorLimit, RaisesTheSoftLimitAsFarAsNeededAndAllowed) {
  const auto attempt = [] {
    rlimit limit{100, 2000};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) std::_Exit(10);
    auto few = raise_descriptor_limit(300);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (!few || *few != 300 || limit.rlim_cur != 812 || limit.rlim_max != 2000) std::_Exit(11);
    auto many = raise_descriptor_limit(20000);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (!many || *many != 1488 || limit.rlim_cur != 2000) std::_Exit(12);
    auto fewer = raise_descriptor_limit(10);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (!fewer || *fewer != 10 || limit.rlim_cur != 2000) std::_Exit(13);
    auto with_files = raise_descriptor_limit(700, 2);
    if (!with_files || *with_files != 700) std::_Exit(14);
    auto too_many = raise_descriptor_limit(20000, 2);
    if (!too_many || *too_many != 744) std::_Exit(15);
    std::_Exit(0);
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace trivet::io

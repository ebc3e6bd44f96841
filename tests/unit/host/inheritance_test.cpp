#include "runtime/host/inheritance.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace trivet::host {
namespace {

class Inheriting : public ::testing::Test {
 protected:
  int open_one() {
    opened_.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return opened_.back().get();
  }
  Inheritance make() {
    Inheritance left;
    left.board = open_one();
    left.executable = open_one();
    left.passed = {{"web", open_one()}};
    left.sockets = {{"unix:/run/x.sock", "/run/x.sock", open_one()}, {"tcp:127.0.0.1 9000", "", open_one()}};
    left.admin = {"", "/run/admin.sock", open_one()};
    left.attach = {"", "/run/attach.sock", open_one()};
    left.generation = 7;
    left.folder = "/var/lib/trivet/plugins/gen-x";
    left.lock = open_one();
    left.snapshot = open_one();
    left.statistics = open_one();
    left.counted = std::string("counts\0 and more", 17);
    left.zones = {{"limits 1 2", open_one()}};
    left.workers = {{3, 0, 4711, open_one(), open_one(), base::TimePoint(std::chrono::hours(9))},
                    {4, 3, 4712, open_one(), open_one(), base::TimePoint(base::Duration(1))}};
    left.connections = {{std::string("4:web0:", 7), open_one()}, {"", open_one()}};
    left.client = open_one();
    left.clients = {{"trivet/1 reload\n", open_one()}, {"", open_one()}};
    left.failure = "why\nnot";
    return left;
  }

  std::vector<process::FileDescriptor> opened_;
};

TEST_F(Inheriting, GivesBackWhatWasLeft) {
  const Inheritance left = make();
  const auto got = unpack_inheritance(pack(left));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->descriptors(), left.descriptors());
  EXPECT_EQ(got->descriptors().size(), opened_.size());
  EXPECT_EQ(got->passed.at(0).name, "web");
  EXPECT_EQ(got->sockets.at(0).path, "/run/x.sock");
  EXPECT_EQ(got->sockets.at(1).key, "tcp:127.0.0.1 9000");
  EXPECT_EQ(got->admin.path, "/run/admin.sock");
  EXPECT_EQ(got->admin.descriptor, left.admin.descriptor);
  EXPECT_EQ(got->attach.path, "/run/attach.sock");
  EXPECT_EQ(got->attach.descriptor, left.attach.descriptor);
  EXPECT_EQ(got->generation, 7U);
  EXPECT_EQ(got->folder, left.folder);
  EXPECT_EQ(got->counted, left.counted);
  EXPECT_EQ(got->zones.at(0).about, "limits 1 2");
  EXPECT_EQ(got->workers.at(1).slot, 4U);
  EXPECT_EQ(got->workers.at(1).number, 3U);
  EXPECT_EQ(got->workers.at(1).pid, 4712);
  EXPECT_EQ(got->workers.at(0).started, base::TimePoint(std::chrono::hours(9)));
  EXPECT_EQ(got->workers.at(1).started, base::TimePoint(base::Duration(1)));
  ASSERT_EQ(got->connections.size(), 2U);
  EXPECT_EQ(got->connections.at(0).parcel, "4:web0:");
  ASSERT_EQ(got->clients.size(), 2U);
  EXPECT_EQ(got->clients.at(0).said, "trivet/1 reload\n");
  EXPECT_EQ(got->failure, "why\nnot");
  Inheritance nobody = make();
  nobody.client = nobody.admin.descriptor = nobody.attach.descriptor = -1;
  const auto none = unpack_inheritance(pack(nobody));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->client, -1);
  EXPECT_EQ(none->admin.descriptor, -1);
  EXPECT_EQ(none->attach.descriptor, -1);
}

TEST_F(Inheriting, TakesNothingThatIsCutOrOfAnotherVersion) {
  const std::string whole = pack(make());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(unpack_inheritance(std::string_view(whole).substr(0, size))) << size;
  EXPECT_FALSE(unpack_inheritance(whole + "x"));
  std::string other = whole;
  const std::size_t format = other.find("3:", other.find("inheritance"));
  other[format] = '4';
  EXPECT_FALSE(unpack_inheritance(other));
}

TEST_F(Inheriting, TakesNoDescriptorThatIsNotOpen) {
  Inheritance left = make();
  const std::string bytes = pack(left);
  ::close(left.snapshot);
  EXPECT_FALSE(unpack_inheritance(bytes));
  ASSERT_EQ(::open("/dev/null", O_RDONLY | O_CLOEXEC), left.snapshot);  // Its owner closes it.
}

TEST_F(Inheriting, ComesThroughTheEnvironmentOnce) {
  const auto nothing = take_inheritance();
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing.value());

  const Inheritance left = make();
  ::fcntl(left.board, F_SETFD, 0);
  auto memory = in_memory(left);
  ASSERT_TRUE(memory.ok());
  ::setenv(Inheritance::variable, std::to_string(memory.value().release()).c_str(), 1);
  const auto got = take_inheritance();
  ASSERT_TRUE(got.ok());
  ASSERT_TRUE(got.value());
  EXPECT_EQ((*got.value()).board, left.board);
  EXPECT_EQ(::fcntl(left.board, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(std::getenv(Inheritance::variable), nullptr);

  for (const char* wrong : {"", "x", "-1", "0", "99999", "99999999999999"}) {
    ::setenv(Inheritance::variable, wrong, 1);
    EXPECT_FALSE(take_inheritance().ok()) << wrong;
    EXPECT_EQ(std::getenv(Inheritance::variable), nullptr);
  }
}

}  // namespace
}  // namespace trivet::host

// A connection that the kernel cannot watch: epoll_ctl(2), ENOSPC and ENOMEM.

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "framed_client.h"
#include "net/event_loop.h"
#include "net/tcp_server.h"

namespace {

std::atomic<bool> mayAddNoMore = false;

}  // namespace

/// Stands in for that of the C library, in this program.
extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  if (operation == EPOLL_CTL_ADD && mayAddNoMore) {
    errno = ENOSPC;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, fd, event));
}

namespace reactor {
namespace {

using testing::FramedClient;

TEST(FullEpollSet, CostsTheNewConnectionAndNoOther) {
  EventLoop loop;
  TcpServer server(loop, InetAddress::parse("127.0.0.1:0"));
  std::optional<FramedClient> unwatched;
  std::optional<FramedClient> last;
  std::vector<std::string> told;
  server.setConnectionCallback([&](Connection& connection) {
    const bool isUp = connection.connected();
    told.push_back(isUp ? "up" : "down: " + connection.closeReason().message());
    if (told.size() == 1) {
      mayAddNoMore = true;
      unwatched.emplace(server.address().port());
    } else if (told.size() == 3) {
      EXPECT_EQ(1u, server.connectionCount());
      mayAddNoMore = false;
      last.emplace(server.address().port());
    } else if (told.size() == 4) {
      loop.quit();
    }
  });
  server.start();
  FramedClient first(server.address().port());
  loop.loop();
  mayAddNoMore = false;
  EXPECT_EQ((std::vector<std::string>{"up", "up", "down: " + errnoCode(ENOSPC).message(), "up"}),
            told);
  EXPECT_EQ(2u, server.connectionCount()) << "the first is still there, and so is the last";
}

}  // namespace
}  // namespace reactor

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "net/socket.h"
#include "waiting.h"

namespace reactor {
namespace {

bool isOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

int optionOf(const Socket& socket, int level, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  EXPECT_EQ(0, ::getsockopt(socket.fd(), level, option, &value, &size));
  return value;
}

void expectError(int error, const std::string& call, const std::function<void()>& action) {
  try {
    action();
    ADD_FAILURE() << "no error from " << call;
  } catch (const std::system_error& thrown) {
    EXPECT_EQ(errnoCode(error), thrown.code()) << thrown.what();
    EXPECT_EQ(0u, std::string(thrown.what()).find(call + ": ")) << thrown.what();
  }
}

Socket listening(const std::string& address) {
  const InetAddress any = InetAddress::parse(address);
  Socket socket = Socket::create(any.family());
  socket.setReuseAddr();
  socket.bind(any);
  socket.listen();
  return socket;
}

TEST(Socket, IsNonBlockingAndCloseOnExec) {
  const Socket socket = Socket::create(AF_INET);
  EXPECT_NE(0, ::fcntl(socket.fd(), F_GETFL) & O_NONBLOCK);
  EXPECT_NE(0, ::fcntl(socket.fd(), F_GETFD) & FD_CLOEXEC);
}

TEST(Socket, ClosesItsDescriptorWhenDestroyed) {
  int fd;
  {
    const Socket socket = Socket::create(AF_INET);
    fd = socket.fd();
    EXPECT_TRUE(isOpen(fd));
  }
  EXPECT_FALSE(isOpen(fd));
}

TEST(Socket, ClosesOnceWhenMovedFrom) {
  std::optional<Socket> first = Socket::create(AF_INET);
  const int fd = first->fd();
  {
    const Socket second = std::move(*first);
    EXPECT_EQ(fd, second.fd());
    first.reset();
    EXPECT_TRUE(isOpen(fd)) << "closed by the one that had been moved from";
  }
  EXPECT_FALSE(isOpen(fd));
}

TEST(Socket, ClosesOnceAlthoughTheNumberIsSomebodyElsesByThen) {
  int reused;
  {
    Socket first = Socket::create(AF_INET);
    const int fd = first.fd();
    { const Socket second = std::move(first); }  // Closes it; `first` must not do so again.
    reused = ::eventfd(0, 0);
    ASSERT_EQ(fd, reused);
  }
  EXPECT_TRUE(isOpen(reused)) << "closed twice";
  ::close(reused);
}

TEST(Socket, MayBeAssignedToAfterItHasBeenMovedFrom) {
  Socket first = Socket::create(AF_INET);
  const Socket second = std::move(first);
  first = Socket::create(AF_INET);
  EXPECT_TRUE(isOpen(first.fd()));
  EXPECT_NE(first.fd(), second.fd());
}

TEST(Socket, AssignedToItselfStaysOpen) {
  Socket socket = Socket::create(AF_INET);
  Socket& same = socket;
  socket = std::move(same);
  EXPECT_TRUE(isOpen(socket.fd()));
}

TEST(Socket, MoveAssignmentClosesTheOldDescriptorAndKeepsTheNew) {
  Socket target = Socket::create(AF_INET);
  const int oldFd = target.fd();
  int newFd;
  {
    Socket source = Socket::create(AF_INET);
    newFd = source.fd();
    target = std::move(source);
  }
  EXPECT_EQ(newFd, target.fd());
  EXPECT_TRUE(isOpen(newFd));
  EXPECT_FALSE(isOpen(oldFd));
}

TEST(Socket, BusyPortIsAnErrorThatNamesBind) {
  for (const std::string any : {"127.0.0.1:0", "[::1]:0"}) {
    const Socket first = listening(any);
    Socket second = Socket::create(first.localAddress().family());
    second.setReuseAddr();  // Does not help against one that listens.
    expectError(EADDRINUSE, "bind", [&] { second.bind(first.localAddress()); });
  }
}

TEST(Socket, NamesTheCallThatFailed) {
  expectError(EAFNOSUPPORT, "socket", [] { Socket::create(AF_UNSPEC); });
  // Not a socket at all.
  Socket other(::eventfd(0, 0));
  expectError(ENOTSOCK, "bind", [&] { other.bind(InetAddress()); });
  expectError(ENOTSOCK, "listen", [&] { other.listen(); });
  expectError(ENOTSOCK, "getsockname", [&] { other.localAddress(); });
  expectError(ENOTSOCK, "setsockopt(SO_REUSEADDR)", [&] { other.setReuseAddr(); });
  expectError(ENOTSOCK, "setsockopt(TCP_NODELAY)", [&] { other.setTcpNoDelay(); });
  expectError(ENOTSOCK, "setsockopt(SO_KEEPALIVE)", [&] { other.setKeepAlive(); });
  EXPECT_EQ(errnoCode(ENOTSOCK), other.error());
}

TEST(Socket, SetsTheOptionThatItsFunctionNames) {
  Socket socket = Socket::create(AF_INET);
  EXPECT_EQ(0, optionOf(socket, SOL_SOCKET, SO_REUSEADDR));
  socket.setReuseAddr();
  EXPECT_NE(0, optionOf(socket, SOL_SOCKET, SO_REUSEADDR));
  EXPECT_EQ(0, optionOf(socket, IPPROTO_TCP, TCP_NODELAY));
  socket.setTcpNoDelay();
  EXPECT_NE(0, optionOf(socket, IPPROTO_TCP, TCP_NODELAY));
  EXPECT_EQ(0, optionOf(socket, SOL_SOCKET, SO_KEEPALIVE));
  socket.setKeepAlive();
  EXPECT_NE(0, optionOf(socket, SOL_SOCKET, SO_KEEPALIVE));
}

TEST(Socket, LocalAddressGivesTheTruePort) {
  for (const std::string any : {"127.0.0.1:0", "[::1]:0"}) {
    const Socket server = listening(any);
    const InetAddress address = server.localAddress();
    EXPECT_NE(0, address.port());
    EXPECT_EQ(InetAddress::parse(any).family(), address.family());
    // True: who knocks there is let in.
    Socket client = Socket::create(address.family());
    const std::error_code error = client.connect(address);
    EXPECT_TRUE(!error || error == errnoCode(EINPROGRESS)) << error.message();
  }
}

TEST(Socket, AcceptSaysWhenNobodyWaits) {
  Socket server = listening("127.0.0.1:0");
  InetAddress peer;
  std::error_code error;
  EXPECT_FALSE(server.accept(peer, error));
  EXPECT_EQ(errnoCode(EAGAIN), error);
}

TEST(Socket, AcceptTellsThePeerInBothFamilies) {
  for (const std::string address : {"127.0.0.1:0", "[::1]:0"}) {
    Socket server = listening(address);
    Socket client = Socket::create(server.localAddress().family());
    const std::error_code begun = client.connect(server.localAddress());
    EXPECT_TRUE(!begun || begun == errnoCode(EINPROGRESS)) << begun.message();
    InetAddress peer;
    std::error_code error;
    std::optional<Socket> accepted;
    ASSERT_TRUE(testing::eventually([&] {
      return (accepted = server.accept(peer, error)).has_value();
    })) << error.message();
    EXPECT_EQ(client.localAddress(), peer);
    EXPECT_EQ(server.localAddress(), accepted->localAddress());
    EXPECT_FALSE(client.error());
    EXPECT_NE(0, ::fcntl(accepted->fd(), F_GETFL) & O_NONBLOCK);
    EXPECT_NE(0, ::fcntl(accepted->fd(), F_GETFD) & FD_CLOEXEC);
  }
}

TEST(Socket, ConnectReturnsWhatFailsAtOnce) {
  Socket client = Socket::create(AF_INET);
  EXPECT_EQ(errnoCode(EAFNOSUPPORT), client.connect(InetAddress::parse("[::1]:80")));
}

TEST(Socket, ErrorTellsWhyAConnectFailedOnce) {
  const InetAddress nobody = [] {
    Socket socket = Socket::create(AF_INET);
    socket.bind(InetAddress::parse("127.0.0.1:0"));
    return socket.localAddress();
  }();
  Socket client = Socket::create(AF_INET);
  std::error_code error = client.connect(nobody);
  if (error == errnoCode(EINPROGRESS)) {
    EXPECT_TRUE(testing::eventually([&] { return bool(error = client.error()); }));
  }
  EXPECT_EQ(errnoCode(ECONNREFUSED), error);
  EXPECT_FALSE(client.error()) << "told twice";
}

TEST(Socket, ShutdownWriteSendsEndOfFileAndStillReceives) {
  Socket server = listening("127.0.0.1:0");
  Socket client = Socket::create(AF_INET);
  client.connect(server.localAddress());
  InetAddress peer;
  std::error_code error;
  std::optional<Socket> accepted;
  ASSERT_TRUE(
      testing::eventually([&] { return (accepted = server.accept(peer, error)).has_value(); }));
  client.shutdownWrite();
  char byte;
  ASSERT_TRUE(testing::eventually([&] { return ::recv(accepted->fd(), &byte, 1, 0) == 0; }));
  EXPECT_EQ(1, ::send(accepted->fd(), "x", 1, 0));
  EXPECT_TRUE(testing::eventually([&] { return ::recv(client.fd(), &byte, 1, 0) == 1; }));
}

TEST(Socket, ShutdownWriteOfOneThatIsNotConnectedIsNoError) {
  Socket socket = Socket::create(AF_INET);
  socket.shutdownWrite();
  EXPECT_TRUE(isOpen(socket.fd()));
}

}  // namespace
}  // namespace reactor

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "net/socket.h"

namespace reactor {
namespace {

bool isOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

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
  const Socket first = listening("127.0.0.1:0");
  try {
    Socket::create(AF_INET).bind(first.localAddress());
    FAIL() << "bound twice";
  } catch (const std::system_error& error) {
    EXPECT_EQ(errnoCode(EADDRINUSE), error.code());
    EXPECT_NE(std::string::npos, std::string(error.what()).find("bind"));
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
    const auto accepted = server.accept(peer, error);
    ASSERT_TRUE(accepted) << error.message();
    EXPECT_EQ(client.localAddress(), peer);
    EXPECT_EQ(server.localAddress(), accepted->localAddress());
    EXPECT_FALSE(client.error());
    EXPECT_NE(0, ::fcntl(accepted->fd(), F_GETFL) & O_NONBLOCK);
    EXPECT_NE(0, ::fcntl(accepted->fd(), F_GETFD) & FD_CLOEXEC);
  }
}

TEST(Socket, ErrorTellsWhyAConnectFailedOnce) {
  const InetAddress nobody = [] {
    Socket socket = Socket::create(AF_INET);
    socket.bind(InetAddress::parse("127.0.0.1:0"));
    return socket.localAddress();
  }();
  Socket client = Socket::create(AF_INET);
  std::error_code error = client.connect(nobody);
  if (error == errnoCode(EINPROGRESS)) error = client.error();
  EXPECT_EQ(errnoCode(ECONNREFUSED), error);
  EXPECT_FALSE(client.error()) << "told twice";
}

TEST(Socket, ShutdownWriteSendsEndOfFileAndStillReceives) {
  Socket server = listening("127.0.0.1:0");
  Socket client = Socket::create(AF_INET);
  client.connect(server.localAddress());
  InetAddress peer;
  std::error_code error;
  auto accepted = server.accept(peer, error);
  ASSERT_TRUE(accepted);
  client.shutdownWrite();
  char byte;
  EXPECT_EQ(0, ::recv(accepted->fd(), &byte, 1, 0));
  EXPECT_EQ(1, ::send(accepted->fd(), "x", 1, 0));
  EXPECT_EQ(1, ::recv(client.fd(), &byte, 1, 0));
}

}  // namespace
}  // namespace reactor

// The yardstick: what a server costs that is nothing but system calls. One thread, one
// level-triggered epoll set, one recv and one send for each message.

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "program.h"
#include "sockets.h"

namespace {

using namespace reactor::bench;

struct Client {
  FileDescriptor socket;
  std::string unsent;  // While there is any, the client is not read.
};

std::array<char, 64 * 1024> readBuffer;

void acceptAll(const FileDescriptor& listener, EpollSet& epoll) {
  for (;;) {
    FileDescriptor socket = acceptClient(listener);
    if (!socket.valid()) return;
    auto* client = new Client{std::move(socket), {}};
    epoll.add(client->socket, EPOLLIN, client);
  }
}

// How many of the bytes the kernel took, none if it has no room; -1: the client is gone.
ssize_t trySend(const Client& client, const char* bytes, size_t size) {
  const ssize_t n = ::send(client.socket.get(), bytes, size, MSG_NOSIGNAL);
  return n < 0 && errno == EAGAIN ? 0 : n;
}

// These return false when the client is gone.
bool echo(Client& client, EpollSet& epoll) {
  const ssize_t received = ::recv(client.socket.get(), readBuffer.data(), readBuffer.size(), 0);
  if (received < 0) return errno == EAGAIN;
  if (received == 0) return false;
  const auto size = static_cast<size_t>(received);
  const ssize_t sent = trySend(client, readBuffer.data(), size);
  if (sent < 0) return false;
  if (sent < received) {
    client.unsent.assign(readBuffer.data() + sent, size - static_cast<size_t>(sent));
    epoll.modify(client.socket, EPOLLOUT, &client);
  }
  return true;
}

bool sendRest(Client& client, EpollSet& epoll) {
  const ssize_t sent = trySend(client, client.unsent.data(), client.unsent.size());
  if (sent < 0) return false;
  client.unsent.erase(0, static_cast<size_t>(sent));
  if (client.unsent.empty()) epoll.modify(client.socket, EPOLLIN, &client);
  return true;
}

void serve(uint16_t port) {
  const FileDescriptor listener = listenOnLoopback(port);
  EpollSet epoll;
  epoll.add(listener, EPOLLIN, nullptr);
  announce(portOf(listener));
  for (;;) {
    for (const epoll_event& event : epoll.wait(std::chrono::milliseconds(-1))) {
      auto* client = static_cast<Client*>(event.data.ptr);
      if (client == nullptr) {
        acceptAll(listener, epoll);
      } else if (!(client->unsent.empty() ? echo(*client, epoll) : sendRest(*client, epoll))) {
        delete client;  // Its one event of this batch is this one; closing leaves the epoll set.
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return runEchoServer("bare_epoll_echo", "Echo server: a bare epoll loop.", argc, argv, serve);
}

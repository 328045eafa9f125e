// Sends back to each client what it sends.

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "net/channel.h"
#include "net/epoll.h"
#include "net/inet_address.h"
#include "net/socket.h"

namespace reactor {

namespace {

constexpr uint16_t kDefaultPort = 9877;  // SERV_PORT of Stevens, "UNIX Network Programming".
constexpr std::chrono::milliseconds kForever{-1};

// A socket that listens on 127.0.0.1, for port 0 on any free port.
Socket listenOn(uint16_t port) {
  const InetAddress address = InetAddress::resolve("127.0.0.1", port);
  Socket listener = Socket::create(address.family());
  listener.setReuseAddr();
  listener.bind(address);
  listener.listen();
  return listener;
}

// False if the client is gone.
bool sendAll(int client, std::string_view bytes) {
  while (!bytes.empty()) {
    // To write to one that has gone is an error like others, not the signal SIGPIPE: send(2).
    const ssize_t n = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      // What the kernel cannot take now is waited for, and all other clients wait as long: a limit
      // that step 07 lifts.
      pollfd writable{client, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

// Sends back what the client has sent. False when no more will come: it has closed, or failed.
bool echo(int client) {
  char bytes[64 * 1024];
  const ssize_t n = ::recv(client, bytes, sizeof bytes, 0);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  return n > 0 && sendAll(client, {bytes, static_cast<size_t>(n)});
}

// A connection, and what is watched of it.
struct Client {
  Client(Epoll& epoll, Socket accepted)
      : socket(std::move(accepted)), channel(epoll, socket.fd()) {}

  Socket socket;
  Channel channel;
};

void acceptClient(Epoll& epoll, Socket& listener, std::unordered_map<int, Client>& clients) {
  InetAddress peer;
  std::error_code error;
  std::optional<Socket> client = listener.accept(peer, error);
  // It has gone again: accept(2), error handling. Or no descriptor is free, and epoll will tell us
  // of it again and again until one is: a limit that step 06 lifts.
  if (!client) return;
  const int fd = client->fd();
  Client& added = clients.try_emplace(fd, epoll, std::move(*client)).first->second;
  added.channel.enableReading();
}

}  // namespace
}  // namespace reactor

int main(int argc, char** argv) {
  using namespace reactor;
  if (argc > 2) {
    std::cerr << "usage: echo_server [PORT]\n";
    return 2;
  }
  try {
    Socket listener = listenOn(argc > 1 ? parsePort(argv[1]) : kDefaultPort);
    std::cout << "listening on " << listener.localAddress().toString() << std::endl;
    Epoll epoll;
    Channel acceptChannel(epoll, listener.fd());
    acceptChannel.enableReading();
    std::unordered_map<int, Client> clients;  // By descriptor.
    while (true) {
      for (const epoll_event& event : epoll.wait(kForever)) {
        auto* channel = static_cast<Channel*>(event.data.ptr);
        channel->setHappened(event.events);
        if (channel == &acceptChannel) {
          acceptClient(epoll, listener, clients);
        } else if (!echo(channel->fd())) {
          clients.erase(channel->fd());
        }
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "echo_server: " << error.what() << '\n';
    return 1;
  }
}

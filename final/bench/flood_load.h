#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "sockets.h"

namespace reactor::bench {

/// Clients of an echo server that do not wait for answers: each sends so many frames as fast as the
/// server takes them, and reads what comes back meanwhile. One thread.
class FloodLoad {
 public:
  /// Messages are frames of `messageSize` bytes, header included, `messages` from each client.
  FloodLoad(uint16_t port, size_t clients, size_t messages, size_t messageSize);

  /// From the first byte sent to the last one that came back. Throws if the server answers with
  /// anything but what was sent.
  std::chrono::duration<double> run();

 private:
  struct Client {
    FileDescriptor socket;
    size_t sent = 0;      ///< Bytes.
    size_t received = 0;  ///< Bytes.
  };

  void send(Client& client);
  void receive(Client& client);

  const std::string block_;  ///< Many frames, one behind the other; what is sent repeats it.
  const size_t bytesEach_;
  EpollSet epoll_;
  std::vector<Client> clients_;
  size_t unfinished_;
};

}  // namespace reactor::bench

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "load.h"
#include "sockets.h"

namespace reactor::bench {

/// Clients of an echo server, each with one request in flight: when its echo is complete and right,
/// the next follows at once. Counts round trips.
class EchoLoad : public Load {
 public:
  /// Messages are frames of `messageSize` bytes, header included.
  EchoLoad(uint16_t port, size_t clients, size_t messageSize);

  uint64_t run(std::chrono::duration<double> duration) override;

 private:
  struct Client {
    FileDescriptor socket;
    size_t sent = 0;      ///< Bytes of the message in flight.
    size_t received = 0;  ///< Bytes of its echo.
    bool waitsToWrite = false;
  };

  void handle(Client& client, uint32_t events);
  void send(Client& client);
  void receive(Client& client);

  const std::string message_;
  EpollSet epoll_;
  std::vector<Client> clients_;
  uint64_t roundTrips_ = 0;
};

}  // namespace reactor::bench

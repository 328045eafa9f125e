#pragma once

#include <string>
#include <vector>

#include "load.h"
#include "sockets.h"

namespace reactor::bench {

/// Clients of a chat server that sends every message to all, its sender included. Some of them
/// send: each has at most `window` messages of its own under way, and sends the next when one has
/// come back to it. Counts deliveries: a message to one client.
class BroadcastLoad : public Load {
 public:
  struct Shape {
    size_t clients = 1000;
    size_t senders = 1;  ///< Of the clients; at most kMaxSenders.
    size_t window = 1;
    size_t messageSize = 64;  ///< In bytes, header included.
  };
  static constexpr size_t kMaxSenders = 127;

  /// Returns when the server knows all clients: one message has reached them all.
  BroadcastLoad(uint16_t port, const Shape& shape);

  uint64_t run(std::chrono::duration<double> duration) override;

  /// Sends no more, and waits until every message has reached every client.
  void finish() override;

 private:
  struct Client {
    FileDescriptor socket;
    char sender = kReceiverOnly;  ///< What the messages that it sends end with.
    size_t received = 0;          ///< In bytes.
  };
  static constexpr char kReceiverOnly = 127;

  void connectAll(uint16_t port);
  void pickSenders();
  void waitForDeliveries();
  void turn();
  void send(const Client& client);
  void receive(Client& client);
  size_t countOwn(const Client& client, const char* bytes, size_t size) const;

  const Shape shape_;
  std::vector<std::string> messages_;  ///< Of each sender.
  EpollSet epoll_;
  std::vector<Client> clients_;
  bool sending_ = false;
  uint64_t messagesSent_ = 0;
  uint64_t bytesReceived_ = 0;
};

}  // namespace reactor::bench

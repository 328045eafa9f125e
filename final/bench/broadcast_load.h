#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "load.h"
#include "sockets.h"

namespace reactor::bench {

/// Clients of a chat server that sends every message to all, its sender included. There are some
/// senders among them; each sends its next message when its last one has come back to it. Counts
/// deliveries: a message to one client.
///
/// With each message a sender changes places: it goes on as another client, drawn at random. A
/// server hands a message out in some order, and a sender that is served early has its next one on
/// the way while the others still get this one; one that always sat in the same place would make
/// one server's order look up to a fifth faster than another's.
class BroadcastLoad : public Load {
 public:
  struct Shape {
    size_t clients = 1000;
    size_t senders = 1;       ///< At most kMaxSenders.
    size_t messageSize = 64;  ///< In bytes, header included.
    /// So many more clients come and go all the time, each staying for a moment. They are not
    /// counted; a server that copies something when one comes or goes has to do it.
    size_t visitors = 0;
  };
  static constexpr size_t kMaxSenders = 100;

  /// Returns when the server knows all clients: a message has reached each.
  BroadcastLoad(uint16_t port, const Shape& shape);

  uint64_t run(std::chrono::duration<double> duration) override;

  std::optional<std::chrono::duration<double, std::milli>> spread() override;

  /// Sends no more, and waits until every message has reached every client, once.
  void finish() override;

 private:
  struct Client {
    FileDescriptor socket;
    bool joined = false;
    uint64_t bytes = 0;                  ///< Received.
    std::vector<uint64_t> messagesFrom;  ///< Received of each sender.
  };
  struct Flight {
    std::chrono::steady_clock::time_point first;  ///< When it reached the first client.
    size_t received = 0;                          ///< How many it has reached.
  };
  struct Sender {
    std::string message;         ///< Ends with the sender's number.
    size_t place;                ///< The client that it is now.
    uint64_t messages;           ///< Sent.
    std::deque<Flight> flights;  ///< Of those of its messages that have not reached all.
  };

  void waitUntilAllHaveJoined();
  void waitForDeliveries();
  void changeVisitors();
  void noteSpread(Sender& sender, uint64_t messageNumber);
  void turn();
  void send(Sender& sender, size_t place);
  void receive(Client& client);
  void count(Client& client, size_t senderNumber);

  const Shape shape_;
  EpollSet epoll_;
  std::vector<Client> clients_;
  std::vector<Sender> senders_;
  std::minstd_rand random_;  // The same numbers in every run.
  std::uniform_int_distribution<size_t> anyPlace_;
  bool sending_ = true;
  size_t joined_ = 0;
  const uint16_t port_;
  std::deque<FileDescriptor> visitors_;
  std::chrono::steady_clock::time_point nextVisit_{};
  std::chrono::steady_clock::time_point now_{};  ///< When this turn's events were there.
  std::vector<double> spreads_;                  ///< Milliseconds, since run() was last called.
  uint64_t deliveries_ = 0;
};

}  // namespace reactor::bench

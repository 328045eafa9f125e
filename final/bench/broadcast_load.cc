#include "broadcast_load.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "environment.h"
#include "frame.h"
#include "stats.h"

namespace reactor::bench {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSilence{5000};
constexpr milliseconds kVisitInterval{2};
constexpr milliseconds kProbeInterval{20};
constexpr size_t kProbe = 0xff;  // As sender.

std::array<char, 64 * 1024> readBuffer;

}  // namespace

BroadcastLoad::BroadcastLoad(uint16_t port, const Shape& shape)
    : shape_(shape), clients_(shape.clients), anyPlace_(0, shape.clients - 1), port_(port) {
  for (size_t i = 0; i < shape.clients; ++i) {
    clients_[i].socket = connectToLoopback(port, i);
    clients_[i].messagesFrom.resize(shape.senders);
    setNonBlocking(clients_[i].socket);
    epoll_.add(clients_[i].socket, EPOLLIN, &clients_[i]);
  }
  for (size_t i = 0; i < shape.senders; ++i) {
    senders_.push_back({makeFrame(shape.messageSize, static_cast<char>(i)), 0, 0, {}});
  }
  waitUntilAllHaveJoined();
  for (Sender& sender : senders_) send(sender, anyPlace_(random_));
}

uint64_t BroadcastLoad::run(std::chrono::duration<double> duration) {
  const uint64_t before = deliveries_;
  spreads_.clear();
  const auto end = steady_clock::now() + duration;
  while (steady_clock::now() < end) turn();
  return deliveries_ - before;
}

std::optional<std::chrono::duration<double, std::milli>> BroadcastLoad::spread() {
  if (clients_.size() < 2 || spreads_.empty()) return std::nullopt;
  return std::chrono::duration<double, std::milli>(summarize(spreads_).median);
}

void BroadcastLoad::finish() {
  sending_ = false;
  waitForDeliveries();
}

// To be connected is not to be in the chat. So probes go out until everyone has had one.
void BroadcastLoad::waitUntilAllHaveJoined() {
  const std::string probe = makeFrame(shape_.messageSize, static_cast<char>(kProbe));
  const auto deadline = steady_clock::now() + kSilence;
  auto nextProbe = steady_clock::now();
  while (joined_ < clients_.size()) {
    if (steady_clock::now() > deadline) {
      throw std::runtime_error("not all clients were let in within 5 s");
    }
    if (steady_clock::now() >= nextProbe) {
      sendAll(clients_.front().socket, probe);
      nextProbe = steady_clock::now() + kProbeInterval;
    }
    for (const epoll_event& event : epoll_.wait(kProbeInterval)) {
      receive(*static_cast<Client*>(event.data.ptr));
    }
    throwIfInterrupted();
  }
}

void BroadcastLoad::waitForDeliveries() {
  uint64_t messages = 0;
  for (const Sender& sender : senders_) messages += sender.messages;
  while (deliveries_ < messages * clients_.size()) turn();
}

void BroadcastLoad::turn() {
  const auto events = epoll_.wait(kSilence);
  throwIfInterrupted();
  if (events.empty()) throw std::runtime_error("the server has been silent for 5 s");
  now_ = steady_clock::now();
  if (sending_ && shape_.visitors > 0 && now_ >= nextVisit_) changeVisitors();
  for (const epoll_event& event : events) receive(*static_cast<Client*>(event.data.ptr));
}

// The one that has been there for longest goes, and a new one comes. What visitors are sent they
// never read: they do not stay for long enough to matter.
void BroadcastLoad::changeVisitors() {
  nextVisit_ = now_ + kVisitInterval;
  if (visitors_.size() == shape_.visitors) visitors_.pop_front();
  visitors_.push_back(connectToLoopback(port_, clients_.size() + visitors_.size()));
}

// `messageNumber` counts from 1.
void BroadcastLoad::noteSpread(Sender& sender, uint64_t messageNumber) {
  const uint64_t landed = sender.messages - sender.flights.size();
  Flight& flight = sender.flights[messageNumber - 1 - landed];
  if (flight.received++ == 0) flight.first = now_;
  if (flight.received == clients_.size()) {
    spreads_.push_back(std::chrono::duration<double, std::milli>(now_ - flight.first).count());
  }
  while (!sender.flights.empty() && sender.flights.front().received == clients_.size()) {
    sender.flights.pop_front();
  }
}

void BroadcastLoad::send(Sender& sender, size_t place) {
  const std::string& message = sender.message;
  sender.place = place;
  ++sender.messages;
  sender.flights.emplace_back();
  const ssize_t n =
      ::send(clients_[place].socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
  if (n < 0) throwErrno("send");
  // The few that are under way are far less than a socket holds.
  if (static_cast<size_t>(n) < message.size()) throw std::runtime_error("a message did not fit");
}

void BroadcastLoad::receive(Client& client) {
  const size_t size = receiveSome(client.socket, readBuffer);
  if (size == 0) return;
  // All messages are of one size, and the last byte of each tells whose it is.
  const size_t first = shape_.messageSize - 1 - client.bytes % shape_.messageSize;
  client.bytes += size;
  for (size_t i = first; i < size; i += shape_.messageSize) {
    count(client, static_cast<unsigned char>(readBuffer[i]));
  }
}

void BroadcastLoad::count(Client& client, size_t senderNumber) {
  if (senderNumber == kProbe) {
    joined_ += client.joined ? 0 : 1;
    client.joined = true;
    return;
  }
  if (senderNumber >= senders_.size()) throw std::runtime_error("a message came broken");
  Sender& sender = senders_[senderNumber];
  if (++client.messagesFrom[senderNumber] > sender.messages) {
    throw std::runtime_error("a message came twice");
  }
  ++deliveries_;
  noteSpread(sender, client.messagesFrom[senderNumber]);
  // The sender's last message: an earlier one may reach this place after the sender has moved here.
  const bool own =
      &client == &clients_[sender.place] && client.messagesFrom[senderNumber] == sender.messages;
  if (own && sending_) send(sender, anyPlace_(random_));
}

}  // namespace reactor::bench

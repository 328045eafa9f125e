#include "broadcast_load.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "environment.h"
#include "frame.h"

namespace reactor::bench {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSilence{5000};

std::array<char, 64 * 1024> readBuffer;

}  // namespace

BroadcastLoad::BroadcastLoad(uint16_t port, const Shape& shape)
    : shape_(shape), clients_(shape.clients), anyPlace_(0, shape.clients - 1) {
  for (size_t i = 0; i < shape.clients; ++i) {
    clients_[i].socket = connectToLoopback(port, i);
    clients_[i].messagesFrom.resize(shape.senders);
    setNonBlocking(clients_[i].socket);
    epoll_.add(clients_[i].socket, EPOLLIN, &clients_[i]);
  }
  for (size_t i = 0; i < shape.senders; ++i) {
    senders_.push_back({makeFrame(shape.messageSize, static_cast<char>(i)), 0, 0});
  }
  // Clients are accepted in the order in which they came: who knows the last one knows all.
  sending_ = false;
  send(senders_.front(), clients_.size() - 1);
  waitForDeliveries();
  sending_ = true;
  for (Sender& sender : senders_) send(sender, anyPlace_(random_));
}

uint64_t BroadcastLoad::run(std::chrono::duration<double> duration) {
  const uint64_t before = deliveries_;
  const auto end = steady_clock::now() + duration;
  while (steady_clock::now() < end) turn();
  return deliveries_ - before;
}

void BroadcastLoad::finish() {
  sending_ = false;
  waitForDeliveries();
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
  for (const epoll_event& event : events) receive(*static_cast<Client*>(event.data.ptr));
}

void BroadcastLoad::send(Sender& sender, size_t place) {
  const std::string& message = sender.message;
  sender.place = place;
  ++sender.messages;
  const ssize_t n =
      ::send(clients_[place].socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
  if (n < 0) throwErrno("send");
  // The few that are under way are far less than a socket holds.
  if (static_cast<size_t>(n) < message.size()) throw std::runtime_error("a message did not fit");
}

void BroadcastLoad::receive(Client& client) {
  const ssize_t n = ::recv(client.socket.get(), readBuffer.data(), readBuffer.size(), 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n < 0) throwErrno("recv");
  if (n == 0) throw std::runtime_error("the server closed a connection");
  const auto size = static_cast<size_t>(n);
  // All messages are of one size, and the last byte of each tells whose it is.
  const size_t first = shape_.messageSize - 1 - client.bytes % shape_.messageSize;
  client.bytes += size;
  for (size_t i = first; i < size; i += shape_.messageSize) {
    count(client, static_cast<unsigned char>(readBuffer[i]));
  }
}

void BroadcastLoad::count(Client& client, size_t senderNumber) {
  if (senderNumber >= senders_.size()) throw std::runtime_error("a message came broken");
  Sender& sender = senders_[senderNumber];
  if (++client.messagesFrom[senderNumber] > sender.messages) {
    throw std::runtime_error("a message came twice");
  }
  ++deliveries_;
  // The sender's last message: an earlier one may reach this place after the sender has moved here.
  const bool own =
      &client == &clients_[sender.place] && client.messagesFrom[senderNumber] == sender.messages;
  if (own && sending_) send(sender, anyPlace_(random_));
}

}  // namespace reactor::bench

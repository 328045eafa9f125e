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
    : shape_(shape), clients_(shape.clients) {
  for (size_t i = 0; i < shape.senders; ++i) {
    messages_.push_back(makeFrame(shape.messageSize, static_cast<char>(i)));
  }
  connectAll(port);
  pickSenders();
  sending_ = true;
  for (const Client& client : clients_) {
    if (client.sender == kReceiverOnly) continue;
    for (size_t i = 0; i < shape_.window; ++i) send(client);
  }
}

void BroadcastLoad::connectAll(uint16_t port) {
  for (size_t i = 0; i < clients_.size(); ++i) {
    clients_[i].socket = connectToLoopback(port, i);
    setNonBlocking(clients_[i].socket);
    epoll_.add(clients_[i].socket, EPOLLIN, &clients_[i]);
  }
  // Clients are accepted in the order in which they came: who knows the last one knows all.
  clients_.back().sender = 0;
  send(clients_.back());
  clients_.back().sender = kReceiverOnly;
  waitForDeliveries();
}

// Evenly spread among the clients: a server that serves them in the order of their coming would
// answer those at the front sooner than one that goes the other way round.
void BroadcastLoad::pickSenders() {
  for (size_t i = 0; i < shape_.senders; ++i) {
    clients_[(2 * i + 1) * clients_.size() / (2 * shape_.senders)].sender = static_cast<char>(i);
  }
}

uint64_t BroadcastLoad::run(std::chrono::duration<double> duration) {
  const uint64_t before = bytesReceived_;
  const auto end = steady_clock::now() + duration;
  while (steady_clock::now() < end) turn();
  return (bytesReceived_ - before) / shape_.messageSize;
}

void BroadcastLoad::finish() {
  sending_ = false;
  waitForDeliveries();
}

void BroadcastLoad::waitForDeliveries() {
  const uint64_t each = messagesSent_ * shape_.messageSize;
  while (bytesReceived_ < each * clients_.size()) turn();
  for (const Client& client : clients_) {
    if (client.received != each) throw std::runtime_error("a client got too many messages");
  }
}

void BroadcastLoad::turn() {
  const auto events = epoll_.wait(kSilence);
  throwIfInterrupted();
  if (events.empty()) throw std::runtime_error("the server has been silent for 5 s");
  for (const epoll_event& event : events) receive(*static_cast<Client*>(event.data.ptr));
}

void BroadcastLoad::send(const Client& client) {
  const std::string& message = messages_[static_cast<size_t>(client.sender)];
  const ssize_t n = ::send(client.socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
  if (n < 0) throwErrno("send");
  // What is under way is far less than a socket holds.
  if (static_cast<size_t>(n) < message.size()) throw std::runtime_error("a message did not fit");
  ++messagesSent_;
}

void BroadcastLoad::receive(Client& client) {
  const ssize_t n = ::recv(client.socket.get(), readBuffer.data(), readBuffer.size(), 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n < 0) throwErrno("recv");
  if (n == 0) throw std::runtime_error("the server closed a connection");
  const auto size = static_cast<size_t>(n);
  const size_t own = countOwn(client, readBuffer.data(), size);
  client.received += size;
  bytesReceived_ += size;
  for (size_t i = 0; i < own && sending_; ++i) send(client);
}

// How many messages of its own are complete with these bytes: all are of one size, and their last
// byte tells whose they are.
size_t BroadcastLoad::countOwn(const Client& client, const char* bytes, size_t size) const {
  if (client.sender == kReceiverOnly) return 0;
  size_t own = 0;
  const size_t first = shape_.messageSize - 1 - client.received % shape_.messageSize;
  for (size_t i = first; i < size; i += shape_.messageSize) {
    if (bytes[i] == client.sender) ++own;
  }
  return own;
}

}  // namespace reactor::bench

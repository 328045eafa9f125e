#include "echo_load.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
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

EchoLoad::EchoLoad(uint16_t port, size_t clients, size_t messageSize)
    : message_(makeFrame(messageSize)), clients_(clients) {
  for (size_t i = 0; i < clients; ++i) {
    clients_[i].socket = connectToLoopback(port, i);
    setNonBlocking(clients_[i].socket);
    epoll_.add(clients_[i].socket, EPOLLIN, &clients_[i]);
  }
  for (Client& client : clients_) send(client);
}

uint64_t EchoLoad::run(std::chrono::duration<double> duration) {
  const uint64_t before = roundTrips_;
  const auto end = steady_clock::now() + duration;
  while (steady_clock::now() < end) {
    const auto events = epoll_.wait(kSilence);
    throwIfInterrupted();
    if (events.empty()) throw std::runtime_error("the server has been silent for 5 s");
    for (const epoll_event& event : events) {
      handle(*static_cast<Client*>(event.data.ptr), event.events);
    }
  }
  return roundTrips_ - before;
}

void EchoLoad::handle(Client& client, uint32_t events) {
  if ((events & EPOLLOUT) != 0) send(client);
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) receive(client);
}

void EchoLoad::send(Client& client) {
  const ssize_t n = ::send(client.socket.get(), message_.data() + client.sent,
                           message_.size() - client.sent, MSG_NOSIGNAL);
  if (n > 0) client.sent += static_cast<size_t>(n);
  if (n < 0 && errno != EAGAIN) throwErrno("send");
  const bool mustWait = client.sent < message_.size();
  if (mustWait == client.waitsToWrite) return;
  client.waitsToWrite = mustWait;
  epoll_.modify(client.socket, mustWait ? EPOLLIN | EPOLLOUT : EPOLLIN, &client);
}

void EchoLoad::receive(Client& client) {
  const size_t size = receiveSome(client.socket, readBuffer);
  if (size == 0) return;
  if (size > client.sent - client.received) {
    throw std::runtime_error("more came back than was sent");
  }
  if (std::memcmp(readBuffer.data(), message_.data() + client.received, size) != 0) {
    throw std::runtime_error("something else came back than was sent");
  }
  client.received += size;
  if (client.received < message_.size()) return;
  ++roundTrips_;
  client.sent = client.received = 0;
  send(client);
}

}  // namespace reactor::bench

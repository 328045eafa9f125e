#include "flood_load.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
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
constexpr size_t kBlockSize = 64 * 1024;  // At least so many bytes go with one send(2), or come.

std::array<char, kBlockSize> readBuffer;

// Twice a block, so that a block can be had from any place in the first half.
std::string twoBlocksOf(const std::string& frame) {
  std::string block;
  while (block.size() < kBlockSize) block += frame;
  return block + block;
}

}  // namespace

FloodLoad::FloodLoad(uint16_t port, size_t clients, size_t messages, size_t messageSize)
    : block_(twoBlocksOf(makeFrame(messageSize))),
      bytesEach_(messages * messageSize),
      clients_(clients),
      unfinished_(clients) {
  for (size_t i = 0; i < clients; ++i) {
    clients_[i].socket = connectToLoopback(port, i);
    setNonBlocking(clients_[i].socket);
  }
}

std::chrono::duration<double> FloodLoad::run() {
  const auto begin = steady_clock::now();
  for (Client& client : clients_) epoll_.add(client.socket, EPOLLIN | EPOLLOUT, &client);
  while (unfinished_ > 0) {
    const auto events = epoll_.wait(kSilence);
    throwIfInterrupted();
    if (events.empty()) throw std::runtime_error("the server has been silent for 5 s");
    for (const epoll_event& event : events) {
      Client& client = *static_cast<Client*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0) send(client);
      if ((event.events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) receive(client);
    }
  }
  return steady_clock::now() - begin;
}

void FloodLoad::send(Client& client) {
  const size_t offset = client.sent % (block_.size() / 2);
  const size_t size = std::min(block_.size() / 2, bytesEach_ - client.sent);
  const ssize_t n = ::send(client.socket.get(), block_.data() + offset, size, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) throwErrno("send");
  if (n > 0) client.sent += static_cast<size_t>(n);
  if (client.sent == bytesEach_) epoll_.modify(client.socket, EPOLLIN, &client);
}

void FloodLoad::receive(Client& client) {
  const size_t size = receiveSome(client.socket, readBuffer);
  if (size == 0) return;
  if (size > client.sent - client.received) {
    throw std::runtime_error("more came back than was sent");
  }
  const size_t offset = client.received % (block_.size() / 2);
  if (std::memcmp(readBuffer.data(), block_.data() + offset, size) != 0) {
    throw std::runtime_error("something else came back than was sent");
  }
  client.received += size;
  if (client.received == bytesEach_) --unfinished_;
}

}  // namespace reactor::bench

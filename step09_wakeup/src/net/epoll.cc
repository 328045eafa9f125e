#include "net/epoll.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "net/socket.h"

namespace reactor {

Epoll::Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)), events_(kMaxEvents) {
  if (fd_.get() < 0) throwErrno("epoll_create1");
}

void Epoll::add(int fd, uint32_t events, epoll_data_t data) {
  control(EPOLL_CTL_ADD, "epoll_ctl(ADD)", fd, events, data);
}

void Epoll::modify(int fd, uint32_t events, epoll_data_t data) {
  control(EPOLL_CTL_MOD, "epoll_ctl(MOD)", fd, events, data);
}

void Epoll::remove(int fd) { control(EPOLL_CTL_DEL, "epoll_ctl(DEL)", fd, 0, {}); }

std::span<epoll_event> Epoll::wait(std::chrono::milliseconds timeout) {
  const auto count = std::clamp<int64_t>(timeout.count(), -1, std::numeric_limits<int>::max());
  const int n = ::epoll_wait(fd_.get(), events_.data(), kMaxEvents, static_cast<int>(count));
  if (n < 0 && errno != EINTR) throwErrno("epoll_wait");
  return {events_.data(), n < 0 ? 0 : static_cast<size_t>(n)};
}

void Epoll::control(int operation, const char* name, int fd, uint32_t events, epoll_data_t data) {
  epoll_event event{};
  event.events = events;
  event.data = data;
  if (::epoll_ctl(fd_.get(), operation, fd, &event) < 0) throwErrno(name);
}

}  // namespace reactor

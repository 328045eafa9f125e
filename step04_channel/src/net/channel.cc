#include "net/channel.h"

#include <sys/epoll.h>

#include "net/epoll.h"

namespace reactor {

namespace {

constexpr uint32_t kReadEvents = EPOLLIN;
constexpr uint32_t kWriteEvents = EPOLLOUT;

}  // namespace

Channel::~Channel() { remove(); }

void Channel::enableReading() {
  interest_ |= kReadEvents;
  update();
}

void Channel::disableReading() {
  interest_ &= ~kReadEvents;
  update();
}

void Channel::enableWriting() {
  interest_ |= kWriteEvents;
  update();
}

void Channel::disableWriting() {
  interest_ &= ~kWriteEvents;
  update();
}

void Channel::remove() {
  if (!registered_) return;
  epoll_.remove(fd_);
  interest_ = 0;
  registered_ = false;
}

bool Channel::isReading() const { return (interest_ & kReadEvents) != 0; }
bool Channel::isWriting() const { return (interest_ & kWriteEvents) != 0; }

void Channel::update() {
  if (registered_) {
    epoll_.modify(fd_, interest_, {.ptr = this});
  } else {
    epoll_.add(fd_, interest_, {.ptr = this});
    registered_ = true;
  }
}

}  // namespace reactor

#include "net/channel.h"

#include <sys/epoll.h>

#include "net/event_loop.h"

namespace reactor {

namespace {

// EPOLLRDHUP, so that an edge that carries the last data tells that FIN has come with it.
constexpr uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP;
constexpr uint32_t kWriteEvents = EPOLLOUT;

}  // namespace

Channel::~Channel() { remove(); }

void Channel::useEdgeTrigger() { interest_ |= EPOLLET; }

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
  loop_.removeChannel(*this);
  interest_ &= EPOLLET;
  registered_ = false;
}

bool Channel::isReading() const { return (interest_ & kReadEvents) != 0; }
bool Channel::isWriting() const { return (interest_ & kWriteEvents) != 0; }

void Channel::handleEvents(uint32_t events) {
  happened_ = events;
  if (isReading()) {
    if ((events & (kReadEvents | EPOLLERR | EPOLLHUP)) != 0) readCallback_();
  } else if ((events & EPOLLERR) != 0 && errorCallback_) {
    errorCallback_();
  } else if ((events & EPOLLHUP) != 0 && closeCallback_) {
    closeCallback_();
  }
  // A callback above may have removed this channel: then nobody waits to write any more.
  if ((events & kWriteEvents) != 0 && isWriting()) writeCallback_();
}

void Channel::update() {
  loop_.assertInLoopThread();
  if (registered_) {
    loop_.epoll().modify(fd_, interest_, {.ptr = this});
  } else {
    loop_.epoll().add(fd_, interest_, {.ptr = this});
    registered_ = true;
  }
}

}  // namespace reactor

#include "net/buffer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace reactor {

void Buffer::retrieve(size_t n) {
  assert(n <= size());
  begin_ += n;
  if (begin_ == end_) retrieveAll();
}

void Buffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  reserve(bytes.size());
  std::memcpy(storage_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void Buffer::shrink() {
  if (empty()) {
    storage_.reset();
    capacity_ = begin_ = end_ = 0;
  } else if (capacity_ > 2 * size()) {
    reallocate(size());
  }
}

ssize_t Buffer::receiveFrom(int fd, size_t most) {
  reserve(most);
  const ssize_t n = ::recv(fd, storage_.get() + end_, most, 0);
  if (n > 0) end_ += static_cast<size_t>(n);
  return n;
}

ssize_t Buffer::sendTo(int fd) {
  const ssize_t n = ::send(fd, storage_.get() + begin_, size(), MSG_NOSIGNAL);
  if (n > 0) retrieve(static_cast<size_t>(n));
  return n;
}

void Buffer::reserve(size_t n) {
  if (capacity_ - end_ >= n) return;
  // Moving the bytes to the front is cheap only if they are few beside the room that it makes.
  if (capacity_ - size() >= n && begin_ >= size()) {
    std::memmove(storage_.get(), storage_.get() + begin_, size());
    end_ = size();
    begin_ = 0;
  } else {
    reallocate(std::max(2 * capacity_, size() + n));
  }
}

void Buffer::reallocate(size_t capacity) {
  auto storage = std::make_unique_for_overwrite<char[]>(capacity);
  std::copy_n(storage_.get() + begin_, size(), storage.get());
  storage_ = std::move(storage);
  capacity_ = capacity;
  end_ = size();
  begin_ = 0;
}

}  // namespace reactor

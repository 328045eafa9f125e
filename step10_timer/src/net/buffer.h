#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace reactor {

/// Bytes that come in at the back and leave at the front. Grows as needed; an empty Buffer that has
/// been shrunk holds no memory, since an idle connection has two of them.
///
/// Not for two threads at once. What peek() returned is valid until bytes are next put in, or the
/// Buffer is shrunk.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  /// How many bytes there are.
  size_t size() const { return end_ - begin_; }
  /// Whether there are no bytes.
  bool empty() const { return begin_ == end_; }
  size_t capacity() const { return capacity_; }  ///< Bytes of memory held.

  /// All bytes, oldest first.
  std::string_view peek() const { return {storage_.get() + begin_, size()}; }

  /// Drops the first `n` bytes, at most size(). They stay readable until bytes are next put in.
  void retrieve(size_t n);
  /// Takes all bytes off.
  void retrieveAll() { begin_ = end_ = 0; }

  void append(std::string_view bytes);  ///< Not bytes of this Buffer itself.

  /// Gives memory back: all of it if empty, else what is more than twice the size.
  void shrink();

  /// One recv(2) of at most `most` bytes; what it returned: 0 at EOF, -1 with errno set.
  ssize_t receiveFrom(int fd, size_t most);

  /// One send(2) of all bytes, without SIGPIPE; takes out what was sent. Returns what it returned:
  /// -1 with errno set.
  ssize_t sendTo(int fd);

 private:
  /// Makes room for `n` bytes after end_.
  void reserve(size_t n);
  void reallocate(size_t capacity);

  std::unique_ptr<char[]> storage_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace reactor
